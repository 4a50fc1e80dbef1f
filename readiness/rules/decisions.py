"""Decisions of launch reviews: what may be decided, and which facts that one rests on got worse since. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind

from .forecasts import rank
from .snapshots import FrozenItem
from .spoken import long_day, status_words
from .status import ItemFacts, status_at
from .texts import reason_refusals
from .verdicts import Under

MOST_DAYS = 90
"""A condition lets an item wait at most this many days, like a waiver."""

MOST_NAMED = 3
WAIVED = rank(Status.WAIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """An item that is not settled when a decision is made."""

    item: int
    title: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a go with conditions says of one item: why it may wait, who owns it, and up to the end of which day.

    ``owner`` is a name, ``owner_active`` whether that person can still sign in.
    """

    item: int
    reason: str
    owner: str
    owner_active: bool
    until: date


def go_refusals(unsettled: Sequence[Unsettled], *, counted: int) -> list[str]:
    """Return why a sheet with ``counted`` items may not be given a go: one is unsettled, or there is none."""
    if not counted:
        return [_("There is no item on this sheet, so nothing shows that it is ready.")]
    if not unsettled:
        return []
    named = ", ".join(
        _("“{title}” ({status})").format(title=one.title, status=status_words(one.status))
        for one in unsettled[:MOST_NAMED]
    )
    if len(unsettled) > MOST_NAMED:
        named = _("{these} and {n} more").format(these=named, n=len(unsettled) - MOST_NAMED)
    return [
        ngettext(
            "{n} item is not settled: {named}. Settle them, or decide a go with conditions.",
            "{n} items are not settled: {named}. Settle them, or decide a go with conditions.",
            len(unsettled),
        ).format(n=len(unsettled), named=named)
    ]


def go_with_conditions_refusals(unsettled: Sequence[Unsettled], *, counted: int) -> list[str]:
    """Return why a sheet may not be given a go with conditions at all."""
    if not counted:
        return go_refusals(unsettled, counted=counted)
    if not unsettled:
        return [_("Everything is settled, so there is nothing to set a condition on. Decide a go.")]
    return []


def terms_refusals(terms: Terms, *, today: date) -> dict[str, list[str]]:
    """Return what does not hold in one condition, by field; ``today`` is the day in the site's time zone."""
    found = {
        "reason": reason_refusals(terms.reason),
        "owner": []
        if terms.owner_active
        else [_("{owner} has left. Choose somebody who is here.").format(owner=terms.owner)],
        "until": until_refusals(terms.until, today=today),
    }
    return {field: reasons for field, reasons in found.items() if reasons}


def until_refusals(day: date, *, today: date) -> list[str]:
    """Return why a condition may not end with this day."""
    last = today + timedelta(days=MOST_DAYS - 1)
    if day < today:
        return [_("This day has passed. Choose a day from today to {last}.").format(last=long_day(last))]
    if day > last:
        return [
            _("A condition lets an item wait at most {most_days} days. Choose {last} or earlier.").format(
                most_days=MOST_DAYS, last=long_day(last)
            )
        ]
    return []


def conditions_refusals(unsettled: Sequence[Unsettled], given: Sequence[Terms], *, today: date) -> list[str]:
    """Return why these are not the conditions of a go: there is exactly one for each unsettled item, and each holds."""
    titles = {one.item: one.title for one in unsettled}
    numbers = [terms.item for terms in given]
    found = [
        _("“{title}” is not settled and has no condition: say why it may wait, who owns it, and until when.").format(
            title=title
        )
        for item, title in titles.items()
        if item not in numbers
    ]
    if any(item not in titles for item in numbers):
        found.append(_("A condition is about an item that is settled by now or not on this sheet. Look at it again."))
    if len(set(numbers)) < len(numbers):
        found.append(_("An item has two conditions. Give it one."))
    for terms in given:
        for reasons in terms_refusals(terms, today=today).values():
            found += [
                _("“{title}”: {reason}").format(title=titles[terms.item], reason=reason)
                for reason in reasons
                if terms.item in titles
            ]
    return found


def dissent_refusals(given: Sequence[tuple[int, str, bool]]) -> list[str]:
    """Return why these dissents cannot be kept: (person, reason, whether that person is here), once a person."""
    found = [reason for _person, why, _active in given for reason in reason_refusals(why)]
    people = [person for person, _why, _active in given]
    if len(set(people)) < len(people):
        found.append(_("Somebody dissents twice. Put both reasons into one."))
    if not all(active for _person, _why, active in given):
        found.append(_("Somebody who dissents has left. Choose people who are here."))
    return found


class Worsening(StrEnum):
    """How a fact that a decision rests on got worse."""

    UNSETTLED = "unsettled"
    ONLY_WAIVED = "only-waived"
    BEGAN_TO_FAIL = "began-to-fail"
    UNSETTLED_AGAIN = "unsettled-again"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One item that got worse than it was when it was decided on.

    ``since`` is the instant that follows from its facts; None where what it rested on was taken out of its history,
    so that no bound is left to tell.
    """

    item: int
    entry: str
    title: str
    what: Worsening
    before: Status
    after: Status
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemNow:
    """One item of the sheet as it stands.

    ``ended`` are its facts folded with each grant that ended early since, as if that still stood up to its end.
    ``exchanged`` are instants at which what it rested on was exchanged: by another build, or an archived lender.
    """

    item: int
    entry: str
    title: str
    facts: ItemFacts
    ended: tuple[ItemFacts, ...] = ()
    exchanged: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One condition: an item may wait before ``until``. ``discharged_at`` is when it was settled, once and for good."""

    item: int
    until: datetime
    discharged_at: datetime | None = None

    def discharged_by(self, at: datetime) -> bool:
        """Return whether the item had been settled by an instant."""
        return self.discharged_at is not None and self.discharged_at <= at

    def overdue_at(self, at: datetime) -> bool:
        """Return whether the item should have been settled by an instant, and was not."""
        return self.until <= at and not self.discharged_by(at)


def worse(
    frozen: Iterable[FrozenItem],
    now: Mapping[int, ItemNow],
    waits: Iterable[Wait],
    *,
    decided_at: datetime,
    at: datetime,
) -> list[Fact]:
    """Return what got worse at an instant than it was when it was decided on, in the order of the snapshot.

    That is: settled then and not now; met or not applicable then and only waived now; unsettled then and failing now;
    an item settled since, as its condition asked, and unsettled again; a condition overdue. Another run with the same
    outcome, a new owner, more evidence, verified for attested or the other way about, a waiver that was renewed and
    reworded entries are none of these. An item that is not on the sheet any more got no worse.
    """
    by_item = {wait.item: wait for wait in waits}
    found: list[Fact] = []
    for then in frozen:
        item, wait = now.get(then.item), by_item.get(then.item)
        if item is None:
            continue
        before, after = Status(then.status), status_at(item.facts, at)
        settled_at = wait.discharged_at if wait is not None and wait.discharged_by(at) else None
        floor, since = (rank(before), decided_at) if settled_at is None else (WAIVED, settled_at)
        if rank(after) < floor:
            found.append(
                Fact(
                    item=item.item,
                    entry=item.entry,
                    title=item.title,
                    what=_worsening(before, after, again=settled_at is not None),
                    before=before,
                    after=after,
                    since=_since(item, floor, after=since, at=at),
                )
            )
        if wait is not None and wait.overdue_at(at):
            found.append(
                Fact(
                    item=item.item,
                    entry=item.entry,
                    title=item.title,
                    what=Worsening.OVERDUE,
                    before=before,
                    after=after,
                    since=wait.until,
                )
            )
    return found


def got_worse(frozen: Mapping[int, Status], now: Mapping[int, Status], under: Under, *, at: datetime) -> bool:
    """Return whether ``worse`` would name anything, from statuses by item alone; ``under`` is what stands."""

    def fell(item: int, before: Status) -> bool:
        floor = WAIVED if item in under.discharged else rank(before)
        return rank(now[item]) < floor or (item in under.conditions and under.conditions[item] <= at)

    return any(fell(item, before) for item, before in frozen.items() if item in now)


def appeared(frozen: Iterable[FrozenItem], now: Mapping[int, ItemNow], *, at: datetime) -> list[ItemNow]:
    """Return the items that were not on the sheet when it was decided on and are unsettled at an instant."""
    then = {one.item for one in frozen}
    return [item for key, item in now.items() if key not in then and not status_at(item.facts, at).settled]


def covers(kind: DecisionKind, facts: Sequence[Fact]) -> bool:
    """Return whether a decision covers the sheet: it is a go, and nothing that it rests on got worse."""
    return kind != DecisionKind.NO_GO and not facts


def _worsening(before: Status, after: Status, *, again: bool) -> Worsening:
    if again:
        return Worsening.UNSETTLED_AGAIN
    if not before.settled:
        return Worsening.BEGAN_TO_FAIL
    return Worsening.ONLY_WAIVED if after is Status.WAIVED else Worsening.UNSETTLED


def _since(item: ItemNow, floor: int, *, after: datetime, at: datetime) -> datetime | None:
    """Return from when on an item stands below ``floor``, as its facts tell.

    Between two bounds nothing changes, so it is the first bound of the last stretch. Where the facts tell of no time
    after the decision at which it stood higher, what it rested on is in them no longer: then it is the last exchange.
    """
    histories = (item.facts, *item.ended)

    def holds(instant: datetime) -> bool:
        return any(rank(status_at(facts, instant)) >= floor for facts in histories)

    start = _last_stretch(histories, holds, at)
    if start is not None and start > after:
        return start
    failing = item.facts.failing_since
    if failing is not None and failing <= at and status_at(item.facts, at) is Status.FAILING:
        return failing
    return max((one for one in item.exchanged if after < one <= at), default=None)


def _last_stretch(histories: Iterable[ItemFacts], holds: Callable[[datetime], bool], at: datetime) -> datetime | None:
    """Return the first instant of the stretch up to ``at`` in which nothing holds; None where it never held."""
    bounds = {getattr(facts, name) for facts in histories for name in ItemFacts.names()}
    start = None
    for bound in sorted((one for one in bounds if one is not None and one <= at), reverse=True):
        if holds(bound):
            return start
        start = bound
    return None
