"""What a calendar program fetches: a calendar by the token in its address, in words of the language it was made in."""

import hashlib
import math
from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from readiness.enums.words import DecisionKind
from readiness.models import CalendarFeed, Condition, Environment, Waiver
from readiness.rules.calendar_feeds import ends_at
from readiness.rules.calendar_file import Happening, calendar_file
from readiness.selectors.calendar_feeds import feed_shown
from readiness.selectors.calendar_held import DueItem, Held, LaunchDay, ReviewDay, held, last_day
from readiness.selectors.covering import uncovered
from readiness.templatetags.readiness_words import verdict_words
from readiness.throttle import address_of, claim_feed, claim_wrong_feed

MOST_PLACES = 40
"""So many environments of an agenda are named in a review's text."""


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Give out a calendar to whoever knows its address, or say that it is as it was (``If-None-Match``).

    A token that is wrong, was revoked, or whose maker has left is not found; 429 where very many came from there. One
    that works is never refused because of them, but where it is itself asked for too often.
    """
    now = timezone.now()
    found = feed_shown(token)
    if found is None:
        if (until := claim_wrong_feed(address_of(request), now=now)) is not None:
            return _later(until, now)
        return _told(404, _("There is no such calendar."))
    if (until := claim_feed(found.pk, now=now)) is not None:
        return _later(until, now)
    with translation.override(found.language):
        body = _file(request, found, held(found, now))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="readiness.ics"',
        "Content-Language": found.language,
        "ETag": tag,
    }
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8", headers=headers)
    return get_conditional_response(request, etag=tag, response=answer) or answer


def _later(until: datetime, now: datetime) -> HttpResponse:
    answer = _told(429, _("Calendars were asked for too often. Ask again later."))
    answer.headers["Retry-After"] = str(math.ceil((until - now).total_seconds()))
    return answer


def _told(status: int, words: str) -> HttpResponse:
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _file(request: HttpRequest, found: CalendarFeed, content: Held) -> bytes:
    team = found.team
    if team is not None:
        name = _("Launches of {team}").format(team=team.name)
        page = reverse("calendar") + f"?team={team.slug}"
    else:
        name = _("Launches: {person}").format(person=found.made_by)
        page = reverse("calendar") + "?mine=1"
    site = request.build_absolute_uri("/").rstrip("/")
    return calendar_file(
        happenings(content, site),
        name=name,
        about=_("Launch dates, launch reviews and what comes due, from Readiness."),
        url=site + page,
        language=found.language,
    )


def happenings(content: Held, site: str) -> Iterator[Happening]:
    """Yield all that a calendar holds, in words of the language that is active; ``site`` begins every address."""
    name = content.installation
    yield from (_launch(one, name, site) for one in content.launches)
    yield from (_review(one, name, site) for one in content.reviews)
    yield from (_item(one, name, site) for one in content.items)
    yield from (_condition(one, name, site) for one in content.conditions)
    yield from (_waiver(one, name, site) for one in content.waivers)


def _launch(one: LaunchDay, installation: str, site: str) -> Happening:
    place = _place(one.environment)
    if one.row is None:
        title, lines = _("Called off: launch of {place}").format(place=place), [_("There is no such launch any more.")]
    else:
        tally = one.row.tally
        title = _("Launch: {place}").format(place=place)
        lines = [_("Verdict now: {verdict}").format(verdict=verdict_words(tally))]
        if one.at_launch is not None:
            words = verdict_words(one.at_launch)
            lines.append(_("On the day, as far as it is known: {verdict}").format(verdict=words))
        if tally.left:
            lines.append(ngettext("{n} item to settle", "{n} items to settle", tally.left).format(n=tally.left))
        decided = DecisionKind(one.decision).label if one.decision else None
        lines.append(_("Decision: {kind}").format(kind=decided) if decided else _("Nothing has been decided yet."))
        if uncovered(one.row):
            lines.append(_("The decision no longer covers: the sheet got worse since."))
    return Happening(
        uid=f"launch-{one.environment.pk}.{installation}@readiness",
        title=title,
        text="\n".join([*lines, _("Team: {team}").format(team=one.environment.service.team.name)]),
        url=site + one.environment.get_absolute_url(),
        category=_("Launch"),
        day=one.day,
        sequence=one.moves,
        changed_at=one.changed_at,
        cancelled=one.row is None,
    )


def _review(one: ReviewDay, installation: str, site: str) -> Happening:
    review = one.review
    more = len(one.places) - MOST_PLACES
    lines = [_("{person} leads it.").format(person=review.chair)]
    if one.called_off:
        lines.append(_("It was closed before it began."))
    elif review.closed_at is not None:
        lines.append(_("It is closed."))
    lines += [_("On the agenda:"), *one.places[:MOST_PLACES]] if one.places else []
    lines += [ngettext("and {n} more", "and {n} more", more).format(n=more)] if more > 0 else []
    return Happening(
        uid=f"review-{review.pk}.{installation}@readiness",
        title=_("Launch review: {title}").format(title=review.title),
        text="\n".join(lines),
        url=site + review.get_absolute_url(),
        category=_("Launch review"),
        day=timezone.localdate(review.starts_at),
        hours=(review.starts_at, ends_at(review.starts_at, review.closed_at)),
        sequence=review.version - 1 + (review.closed_at is not None),
        changed_at=one.changed_at,
        cancelled=one.called_off,
    )


def _item(one: DueItem, installation: str, site: str) -> Happening:
    assert one.item.due_on is not None
    return Happening(
        uid=f"item-{one.item.pk}.{installation}@readiness",
        title=_("Due: {item}, {place}").format(item=one.item.entry.title, place=_place(one.sheet)),
        text=_("You own this item, and it is not settled."),
        url=f"{site}{one.sheet.get_absolute_url()}#item-{one.item.entry.slug}",
        category=_("Due"),
        day=one.item.due_on,
        sequence=one.item.version - 1,
        changed_at=one.changed_at,
    )


def _condition(one: Condition, installation: str, site: str) -> Happening:
    place, done = one.decision.environment, one.discharged_at is not None
    said = _("It was settled.") if done else _("It has to be settled by the end of this day.")
    return Happening(
        uid=f"condition-{one.pk}.{installation}@readiness",
        title=_("Condition: {item}, {place}").format(item=one.item.entry.title, place=_place(place)),
        text="\n".join([said, _("Owner: {person}").format(person=one.owner)]),
        url=f"{site}{place.get_absolute_url()}#item-{one.item.entry.slug}",
        category=_("Condition"),
        day=last_day(one.until),
        sequence=int(done),
        changed_at=one.discharged_at or one.decided_at,
        cancelled=done,
    )


def _waiver(one: Waiver, installation: str, site: str) -> Happening:
    item, ended = one.item, one.ended_at is not None
    place = _place(item.environment) if item.environment is not None else item.service.slug
    said = _("It ended before this day.") if ended else _("Settle the item before it ends, or ask for another waiver.")
    return Happening(
        uid=f"waiver-{one.pk}.{installation}@readiness",
        title=_("Waiver ends: {item}, {place}").format(item=item.entry.title, place=place),
        text=said,
        url=f"{site}{reverse('waivers')}?service={item.service.slug}#waiver-{one.pk}",
        category=_("Waiver"),
        day=last_day(one.until),
        sequence=int(ended),
        changed_at=one.ended_at or one.decided_at or one.asked_at,
        cancelled=ended,
    )


def _place(environment: Environment) -> str:
    return _("{service} in {environment}").format(service=environment.service.slug, environment=environment.name)
