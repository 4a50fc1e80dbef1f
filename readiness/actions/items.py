"""What people do to an item: tick it, take the tick back, say who owns it and by when."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.enums.words import Outcome
from readiness.models import Clause, Evidence, EvidenceLink, Item, Service, User
from readiness.rules.folding import of_a_tick
from readiness.rules.permissions import Refused, archived_refusals, change_refusals, insist
from readiness.rules.texts import links_refusals, summary_refusals
from readiness.selectors.clauses import clause_facts
from readiness.selectors.crossings import written_about

from . import ledger
from .folding import lock_item, refresh


class Crossed(Exception):
    """Somebody else saved the item first. Nothing was written."""

    def __init__(self, item: Item, *, by: str) -> None:
        super().__init__(_("{by} saved this item first.").format(by=by))
        self.item = item
        self.by = by


def item_to_change(item_id: int, *, by: User, seen_version: int) -> Item:
    """Lock and return an item that this person may change and that nobody changed since they saw it.

    Raises ``Refused`` or ``Crossed``. Call it inside the transaction of the change.
    """
    item = lock_item(item_id)
    team = item.service.team
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    insist(live_refusals(item))
    insist_unchanged(item, seen_version)
    return item


def insist_unchanged(item: Item, seen_version: int | None) -> None:
    """Raise ``Crossed`` where somebody saved an item since the version that a person saw; None: they saw no version."""
    if seen_version is not None and item.version != seen_version:
        raise Crossed(item, by=saved_last_by(item))


def saved_last_by(item: Item) -> str:
    """Return the name of who wrote about an item, or landed what asks it again, last."""
    last = written_about(item).select_related("actor").order_by("-id").first()
    return str(last.actor or _("Readiness")) if last else _("Somebody")


def live_refusals(item: Item) -> list[str]:
    """Return why nothing may be written about this item any more."""
    return archived_refusals(item.service.archived_at, item.environment.archived_at if item.environment else None)


def save_written(item: Item, *fields: str) -> None:
    """Save columns that a person wrote, and count the version up."""
    item.version += 1
    item.save(update_fields=["version", *fields])


@transaction.atomic
def tick(
    *, by: User, item_id: int, summary: str, links: Sequence[str], seen_version: int, now: datetime
) -> list[Evidence]:
    """Record that a person vouches for an item: one statement for each clause without a fresh pass.

    Where every clause has a fresh pass the person's word is added to all of them, so that a tick is never lost.
    A statement without the link that its clause wants is kept as unsupported and counts for nothing.
    """
    insist(summary_refusals(summary) + links_refusals(links))
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    return vouch(item, by=by, summary=summary, links=links, now=now)


def vouch(item: Item, *, by: User, summary: str, links: Sequence[str], now: datetime) -> list[Evidence]:
    """Write a tick that nothing refuses. The item is locked; its event is the last of the transaction so far."""
    clauses = list(Clause.objects.filter(entry_id=item.entry_id, retired_at=None).order_by("position"))
    about = of_a_tick((clause.slug for clause in clauses), clause_facts(item), now)
    chosen = [clause for clause in clauses if clause.slug in about]
    written = [_attest(item, clause, by=by, summary=summary, links=links, now=now) for clause in chosen]
    save_written(item)
    refresh(item, now=now)
    ledger.record_of_item(
        "item.ticked",
        item,
        by=by,
        at=now,
        data={
            "summary": summary,
            "links": list(links),
            "evidence": [evidence.pk for evidence in written],
            "clauses": [evidence.clause for evidence in written],
            "unsupported": [evidence.clause for evidence in written if not evidence.supported],
        },
    )
    return written


def _attest(item: Item, clause: Clause, *, by: User, summary: str, links: Sequence[str], now: datetime) -> Evidence:
    evidence = Evidence.objects.create(
        item=item,
        clause=clause.slug,
        outcome=Outcome.PASS,
        summary=summary,
        by=by,
        build=item.environment.build if item.environment else "",
        supported=bool(links) or not clause.tick_needs_link,
        meaning=clause.meaning,
        observed_at=now,
        recorded_at=now,
        valid_until=now + clause.fresh_tick,
    )
    EvidenceLink.objects.bulk_create(EvidenceLink(evidence=evidence, url=url) for url in dict.fromkeys(links))
    return evidence


@transaction.atomic
def take_back(*, by: User, item_id: int, summary: str, seen_version: int, now: datetime) -> list[Evidence]:
    """Take a tick back: the word that was given no longer counts. What probes observed is untouched."""
    insist(summary_refusals(summary))
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    standing = standing_ticks(item, now)
    if not standing:
        raise Refused([_("No tick stands here, so there is none to take back.")])
    written = [
        Evidence.objects.create(
            item=item,
            clause=clause,
            outcome=Outcome.WITHDRAWN,
            summary=summary,
            by=by,
            observed_at=now,
            recorded_at=now,
        )
        for clause in standing
    ]
    save_written(item)
    refresh(item, now=now)
    ledger.record_of_item(
        "item.tick-taken-back",
        item,
        by=by,
        at=now,
        data={"summary": summary, "clauses": standing},
    )
    return written


def standing_ticks(item: Item, now: datetime) -> list[str]:
    """Return the clauses on which a person's word stands: not taken back, and not over; unsupported ones too."""
    newest: dict[str, Evidence] = {}
    said = Evidence.objects.filter(item=item, by__isnull=False).exclude(outcome=Outcome.RETIRED)
    for evidence in said.order_by("observed_at", "id"):
        newest[evidence.clause] = evidence
    return [clause for clause, word in newest.items() if word.valid_until is not None and now < word.valid_until]


@transaction.atomic
def assign(
    *, by: User, item_id: int, owner: User | None, due_on: date | None, seen_version: int, now: datetime
) -> Item:
    """Say who owns an item and by when it is due. An owner is a member of the service's team."""
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    insist(owner_refusals(owner, item.service))
    return hand_over(item, by=by, owner=owner, due_on=due_on, now=now)


def owner_refusals(owner: User | None, service: Service) -> list[str]:
    """Return why this person cannot own items of a service."""
    if owner is None or service.team.memberships.filter(user=owner, user__is_active=True).exists():
        return []
    return [_("{owner} is not a member of {team}. Choose somebody who is.").format(owner=owner, team=service.team)]


def hand_over(item: Item, *, by: User, owner: User | None, due_on: date | None, now: datetime) -> Item:
    """Write owner and due date, where one of them is another. The item is locked."""
    before = {"owner": item.owner_id, "due_on": item.due_on.isoformat() if item.due_on else None}
    after = {"owner": owner.pk if owner else None, "due_on": due_on.isoformat() if due_on else None}
    if before == after:
        return item
    item.owner, item.due_on = owner, due_on
    save_written(item, "owner", "due_on")
    ledger.record_of_item(
        "item.assigned",
        item,
        by=by,
        at=now,
        data={"from": before, "to": after, "owner_name": str(owner) if owner else ""},
    )
    return item
