"""What an import would do, thing by thing, against what is stored: new, changed, the same, or refused with why."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext_lazy

from readiness import policy
from readiness.enums.words import Kind
from readiness.models import BillingSource, Environment, Service, Team
from readiness.rules.environments import SETTING_LABELS, EnvironmentSettings, settings_refusals
from readiness.rules.import_file import ImportFile, Row
from readiness.rules.names import RESERVED_NAMES, validate_slug
from readiness.rules.permissions import Actor, change_refusals
from readiness.rules.references import split_reference
from readiness.rules.spoken import amount_words

SETTINGS = tuple(EnvironmentSettings.__annotations__)
NO_TEAM = gettext_noop("It names no team. A new service belongs to one.")
CAP_OF_NOTHING = gettext_noop("A cap is more than nothing. Leave it empty where there is none.")


class State(StrEnum):
    """What an import does with one thing that its file names."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


STATE_WORDS = {
    State.NEW: pgettext_lazy("import", "new"),
    State.CHANGED: pgettext_lazy("import", "changed"),
    State.SAME: pgettext_lazy("import", "same"),
    State.REFUSED: pgettext_lazy("import", "refused"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting: what is stored, and what the file says; empty where there is nothing."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A service or an environment that the file names. ``service`` and ``environment`` are stored ones, if any are.

    ``settings`` are what the action is given; ``transfer`` is set where the file names another team than the service's.
    """

    line: int
    name: str
    environment_name: str = ""
    state: State
    changes: Sequence[Change] = ()
    reasons: Sequence[str] = ()
    notes: Sequence[str] = ()
    transfer: bool = False
    team: Team | None = None
    description: str = ""
    service: Service | None = None
    environment: Environment | None = None
    settings: EnvironmentSettings | None = None

    @property
    def title(self) -> str:
        """How people call it."""
        return (
            _("{name} in {environment_name}").format(name=self.name, environment_name=self.environment_name)
            if self.environment_name
            else self.name
        )

    @property
    def state_words(self) -> str:
        """What the import does with it, as people read it."""
        return str(STATE_WORDS[self.state])

    @property
    def written(self) -> bool:
        """Whether the import would write about it."""
        return self.state in (State.NEW, State.CHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an import would do. ``digest`` is of all of it, with the versions of what is stored."""

    lines: Sequence[Line]
    file: ImportFile
    digest: str

    def count(self, state: State) -> int:
        """Return how many things stand in a state."""
        return sum(line.state is state for line in self.lines)

    @property
    def counts(self) -> dict[str, int]:
        """How many things stand in each state, by its word."""
        return {str(state): self.count(state) for state in State}

    @property
    def writes(self) -> int:
        """How many things would be written."""
        return sum(line.written for line in self.lines)


@dataclass(slots=True)
class _Stored:
    """What the file is compared with. Four queries."""

    actor: Actor
    teams: Mapping[str, Team]
    sources: Mapping[str, BillingSource]
    services: Mapping[str, Service]
    environments: Mapping[tuple[str, str], Environment]
    lines: list[Line] = field(default_factory=list)
    named: dict[str, tuple[Row, Line]] = field(default_factory=dict)
    placed: dict[tuple[str, str], int] = field(default_factory=dict)


def plan(file: ImportFile, actor: Actor) -> Plan:
    """Return what an import of a file would do if this person confirmed it. Four queries, whatever its length."""
    slugs = {row.cells.get("service", "") for row in file.rows}
    services = Service.objects.select_related("team").filter(slug__in=slugs)
    places = Environment.objects.select_related("service__team", "billing_source").filter(service__slug__in=slugs)
    stored = _Stored(
        actor=actor,
        teams=_by_name(Team.objects.all()),
        sources={one.name: one for one in BillingSource.objects.all()},
        services={one.slug: one for one in services},
        environments={(one.service.slug, one.name): one for one in places},
    )
    for row in file.rows:
        _add(stored, row)
    return Plan(lines=stored.lines, file=file, digest=_digest(stored.lines))


def _by_name(teams: Iterable[Team]) -> dict[str, Team]:
    """Return teams by slug and by name, in small letters; a slug goes before a name."""
    found = list(teams)
    return {one.name.lower(): one for one in found} | {one.slug: one for one in found}


def _add(stored: _Stored, row: Row) -> None:
    """Put down what a row means for its service, once for each service, and for its environment."""
    slug = row.cells.get("service", "")
    if row.wrong:
        stored.lines.append(Line(line=row.line, name=slug or _("no name"), state=State.REFUSED, reasons=row.wrong))
        return
    if slug in stored.named:
        first, service = stored.named[slug]
        if reasons := _not_again(first, row):
            stored.lines.append(Line(line=row.line, name=slug, state=State.REFUSED, reasons=reasons))
            return
    else:
        service = _service(stored, row, slug)
        stored.named[slug] = (row, service)
        stored.lines.append(service)
    if "environment" in row.cells:
        stored.lines.append(_environment(stored, row, service))


def _not_again(first: Row, row: Row) -> list[str]:
    """Return why a later row about a service cannot stand beside the first one."""
    if "environment" not in row.cells:
        return [_("Line {line} names this service already.").format(line=first.line)]
    another = {
        "description": _("It says another description than line {line}."),
        "team": _("It says another team than line {line}."),
    }
    return [
        said.format(line=first.line)
        for name, said in another.items()
        if name in row.cells and row.cells[name] != first.cells.get(name, "")
    ]


def _service(stored: _Stored, row: Row, slug: str) -> Line:
    service, told = stored.services.get(slug), row.cells.get("team", "")
    team = stored.teams.get(told.lower()) if told else None
    description = row.cells.get("description", service.description if service else "")
    reasons = _field(Service, "description", description)[1]
    transfer = False
    if told and team is None:
        reasons.append(_("There is no team called {told}. Ask an admin to add it, or name another.").format(told=told))
    elif service is None:
        reasons += _name(slug, most=60) + ([_(NO_TEAM)] if team is None else _may(stored.actor, team))
    else:
        reasons += _may(stored.actor, service.team)
        if service.archived_at is not None:
            reasons.append(_("It is archived. Bring it back first."))
        elif team is not None and team.pk != service.team_id:
            transfer = True
            reasons.append(
                _("It belongs to {name}. An import hands no service over: transfer it first.").format(
                    name=service.team.name
                )
            )
    changes = _changes({"description": service.description if service else ""}, {"description": description})
    if service is None and team is not None:
        changes = [Change(label=_("Team"), before="", after=team.name), *changes]
    return Line(
        line=row.line,
        name=slug,
        state=_state(reasons, service is not None, changes),
        changes=() if reasons else changes,
        reasons=reasons,
        notes=row.notes,
        transfer=transfer,
        team=team or (service.team if service else None),
        description=description,
        service=service,
    )


def _environment(stored: _Stored, row: Row, service: Line) -> Line:
    name = row.cells["environment"]
    held = stored.environments.get((service.name, name))
    reasons: list[str] = []
    if (service.name, name) in stored.placed:
        reasons.append(
            _("Line {placed} names this environment already.").format(placed=stored.placed[service.name, name])
        )
    stored.placed.setdefault((service.name, name), row.line)
    if service.state is State.REFUSED:
        reasons.append(_("Its service is refused."))
    if held is not None and held.archived_at is not None:
        reasons.append(_("It is archived. Bring it back first."))
    before = {setting: getattr(held, setting) for setting in SETTINGS} if held else _blank()
    settings, wrong = _settings(stored, row, before, service.team)
    reasons += wrong if held else _name(name, most=40) + wrong
    sources = {one.pk: one.name for one in stored.sources.values()}
    blank = dict.fromkeys(before) if held is None else before
    changes = _changes(_told(blank, sources), _told(settings, sources))
    return Line(
        line=row.line,
        name=service.name,
        environment_name=name,
        state=_state(reasons, held is not None, changes),
        changes=() if reasons else [change for change in changes if change.label != _label("name")],
        reasons=reasons,
        service=service.service,
        team=service.team,
        environment=held,
        settings=cast("EnvironmentSettings", settings),
    )


def _settings(
    stored: _Stored, row: Row, before: Mapping[str, Any], team: Team | None
) -> tuple[dict[str, Any], list[str]]:
    """Return an environment's settings as the file leaves them, and why they may not be saved so."""
    settings, reasons, wrong = {**before, "name": row.cells["environment"]}, [], set()
    for setting, text in row.cells.items():
        if setting in ("service", "description", "team", "environment"):
            continue
        column = "billing_source_id" if setting == "billing_source" else setting
        value, refused = _cell(stored, setting, text)
        if refused:
            wrong.add(column)
            reasons += [_("{setting}: {reason}").format(setting=_label(column), reason=reason) for reason in refused]
        else:
            settings[column] = value
    if not settings["kind"] and "kind" not in wrong:
        reasons.append(_("Kind: say which it is, one of {kinds}.").format(kinds=", ".join(Kind.values)))
    found = settings_refusals(
        cast("EnvironmentSettings", settings),
        team=team.slug if team else "",
        references=policy.references(),
        networks=policy.networks(),
    )
    if "spend_cap" in wrong:
        found.pop("spend_cap_currency", None)
    reasons += [
        _("{setting}: {reason}").format(setting=_label(name), reason=why)
        for name, said in found.items()
        if name not in wrong
        for why in said
    ]
    return settings, reasons


def _cell(stored: _Stored, setting: str, text: str) -> tuple[Any, list[str]]:
    """Return what a cell means, or why it means nothing."""
    if setting == "billing_source":
        source = stored.sources.get(text)
        return (source.pk, []) if source else (None, [_("there is none called {text}.").format(text=text)])
    if setting == "kind" and text.lower() not in Kind.values:
        return None, [_("{text} is none of {kinds}.").format(text=text, kinds=", ".join(Kind.values))]
    if setting == "kind":
        return text.lower(), []
    if setting in ("service_url", "bastion_url"):
        text = text.rstrip("/")
    if setting == "spend_cap_currency":
        text = text.upper()
    if setting == "key_reference" and split_reference(text)[0] not in ("env", "file"):
        return None, [_("write it as env:NAME or file:/path/to/key. What stands there was not kept.")]
    value, reasons = _field(Environment, setting, text)
    if setting == "spend_cap" and not reasons:
        return (value.quantize(Decimal("0.01")), []) if value > 0 else (None, [_(CAP_OF_NOTHING)])
    return value, reasons


def _field(model: type[Service] | type[Environment], name: str, text: str) -> tuple[Any, list[str]]:
    """Return a text as a column takes it, or why it does not."""
    try:
        return _column(model, name).clean(text, None), []
    except ValidationError as error:
        return None, list(error.messages)


def _column(model: type[Service] | type[Environment], name: str) -> Any:
    return model._meta.get_field(name)  # noqa: SLF001


def _name(name: str, *, most: int) -> list[str]:
    try:
        validate_slug(name)
    except ValidationError as error:
        return list(error.messages)
    if name in RESERVED_NAMES:
        return [_("This word is part of an address here. Choose another name.")]
    return [_("A name has at most {most} characters.").format(most=most)] if len(name) > most else []


def _may(actor: Actor, team: Team) -> list[str]:
    return change_refusals(actor, team_id=team.pk, team=team.name)


def _state(reasons: Sequence[str], stored: bool, changes: Sequence[Change]) -> State:
    if reasons:
        return State.REFUSED
    if not stored:
        return State.NEW
    return State.CHANGED if changes else State.SAME


def _blank() -> dict[str, Any]:
    nothing = dict.fromkeys(("spend_cap", "billing_source_id", "launch_on"))
    return {setting: nothing.get(setting, "") for setting in SETTINGS}


def _told(settings: Mapping[str, Any], sources: Mapping[int, str]) -> dict[str, str]:
    return {
        name: sources.get(value, "") if name == "billing_source_id" and value else _shown(value)
        for name, value in settings.items()
    }


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return amount_words(value)
    return "" if value is None else str(value)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    return [
        Change(label=_label(name), before=before[name], after=after[name])
        for name in after
        if before[name] != after[name]
    ]


def _label(name: str) -> str:
    return str(SETTING_LABELS[name])


def _digest(lines: Sequence[Line]) -> str:
    told = [
        [
            line.line,
            line.title,
            line.state,
            [[change.label, change.before, change.after] for change in line.changes],
            list(line.reasons),
            line.service.version if line.service else None,
            line.environment.version if line.environment else None,
            line.team.pk if line.team else None,
        ]
        for line in lines
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
