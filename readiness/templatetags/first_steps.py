"""The first steps of a new installation in words: what to do, where, and who may where the reader may not."""

from collections.abc import Callable
from dataclasses import dataclass

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from readiness import policy
from readiness.models import User
from readiness.rules.permissions import add_service_refusals, change_refusals, keep_people_refusals
from readiness.selectors.first_steps import FirstStep, FirstSteps, first_steps, put_away_cookie

register = template.Library()

MOST = 3
"""Where more environments live than this, the installation is not new, and nothing is asked about first steps."""

Link = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One step: what it is, whether it is done, where it is done, and why this person may not."""

    title: str
    text: str
    done: bool
    links: list[Link]
    refusals: list[str]


@register.simple_tag(takes_context=True)
def first_steps_of(context: Context, held: int) -> list[Line]:
    """Return the first steps where there are some to do; none where they were put away. ``held`` environments live."""
    request = context["request"]
    if held > MOST or put_away_cookie() in request.COOKIES:
        return []
    steps = first_steps(request.user)
    return [] if steps.over else [_line(step, steps, request.user) for step in FirstStep]


def _line(step: FirstStep, steps: FirstSteps, user: User) -> Line:
    title, text, links, refusals = _SAYS[step](steps, user)
    return Line(title=title, text=text, done=step in steps.done, links=links, refusals=refusals)


Said = tuple[str, str, list[Link], list[str]]


def _team(_steps: FirstSteps, user: User) -> Said:
    text = _("Services belong to teams, and who is in a team answers for its services.")
    return (
        _("Create a team"),
        text,
        [(_("Add a team"), reverse("admin:readiness_team_add"))],
        keep_people_refusals(user.actor),
    )


def _people(steps: FirstSteps, user: User) -> Said:
    text = _(
        "Add each person with a first password, which they change from the menu behind their initials, and put them "
        "into their team. To try it alone, put yourself into one."
    )
    links = [(_("Add a person"), reverse("admin:readiness_user_add"))]
    if steps.team is not None:
        into = reverse("admin:readiness_team_change", args=[steps.team.pk])
        links.append((_("Put people into {team}").format(team=steps.team), into))
    return _("Invite people"), text, links, keep_people_refusals(user.actor)


def _service(_steps: FirstSteps, user: User) -> Said:
    text = _("Something that is deployed and calls Bastion. What you keep in a list or in Backstage can be imported.")
    links = [(_("Add a service"), reverse("service-add")), (_("Import services"), reverse("import"))]
    return _("Add the first service"), text, links, add_service_refusals(user.actor)


def _environment(steps: FirstSteps, user: User) -> Said:
    text = _(
        "Say where the service runs, where it calls Bastion, and where its key is kept: a reference, env:NAME or "
        "file:/path/to/key, never the key itself."
    )
    team = steps.service.team if steps.service is not None else steps.team
    if team is not None and team.slug not in policy.references().teams:
        more = _(
            "{team} may not refer to any key yet: the operator says in READINESS_KEY_REFERENCES which, under the "
            "team's slug, {slug}. Everything else can be added before that."
        ).format(team=team, slug=team.slug)
        text = f"{text} {more}"
    title = _("Add an environment with a key reference")
    if steps.service is None:
        return title, text, [], []
    if steps.environment is not None:
        one = steps.environment
        address = reverse("environment-change", args=[one.service.slug, one.name])
        return (
            title,
            text,
            [(_("Give {environment} its key reference").format(environment=one), address)],
            _may_change(steps, user),
        )
    address = reverse("environment-add", args=[steps.service.slug])
    return (
        title,
        text,
        [(_("Add an environment to {service}").format(service=steps.service), address)],
        _may_change(steps, user),
    )


def _probes(steps: FirstSteps, user: User) -> Said:
    text = _(
        "Probes look by themselves within seconds, as far as the settings let them, and again whenever somebody asks. "
        "A cell that a probe verified is solid green."
    )
    return _("Let the probes look"), text, _to_sheet(steps, _("Run all probes on its sheet")), _may_change(steps, user)


def _tick(steps: FirstSteps, user: User) -> Said:
    text = _(
        "What no probe can see, a person says: what they looked at in one sentence, with a link where one is asked."
    )
    return _("Tick the first item"), text, _to_sheet(steps, _("Open the sheet")), _may_change(steps, user)


def _to_sheet(steps: FirstSteps, label: str) -> list[Link]:
    return [(label, steps.environment.get_absolute_url())] if steps.environment is not None else []


def _may_change(steps: FirstSteps, user: User) -> list[str]:
    service = steps.environment.service if steps.environment is not None else steps.service
    if service is None:
        return []
    return change_refusals(user.actor, team_id=service.team_id, team=service.team.name)


_SAYS: dict[FirstStep, Callable[[FirstSteps, User], Said]] = {
    FirstStep.TEAM: _team,
    FirstStep.PEOPLE: _people,
    FirstStep.SERVICE: _service,
    FirstStep.ENVIRONMENT: _environment,
    FirstStep.PROBES: _probes,
    FirstStep.TICK: _tick,
}
