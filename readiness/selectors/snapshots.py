"""Take the snapshot of a sheet that a decision freezes."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.utils import translation

from readiness.models import Clause, Entry, Evidence, NotApplicable, User, Waiver
from readiness.rules.folding import ClauseFacts
from readiness.rules.snapshots import (
    FrozenAbsent,
    FrozenChecklist,
    FrozenClause,
    FrozenEnvironment,
    FrozenEvidence,
    FrozenItem,
    FrozenRequest,
    Snapshot,
    Translations,
)

from .grounds import clauses_of
from .standing import ItemStanding, Standing
from .strips import entries_at


@translation.override(None)
def snapshot_of(standing: Standing) -> Snapshot:
    """Return a sheet as it stands now, to be frozen as it was written. Six queries, whatever the number of items."""
    environment = standing.environment
    entries = entries_at(standing.at, team_id=environment.service.team_id)
    places = {entry.pk: number for number, entry in enumerate(entries)}
    items = [one.item.pk for one in standing.items]
    said = _evidence(standing.items)
    waivers = _grants(Waiver, items)
    left_out = _grants(NotApplicable, items)
    clauses = clauses_of(one.entry for one in standing.items)
    checklists = {one.entry.section.checklist.slug: one.entry.section.checklist for one in standing.items}
    return Snapshot(
        at=standing.at,
        environment=FrozenEnvironment(
            id=environment.pk,
            service=environment.service.slug,
            name=environment.name,
            kind=environment.kind,
            team=environment.service.team.name,
            build=environment.build,
            launch_on=environment.launch_on.isoformat() if environment.launch_on else "",
        ),
        checklists=tuple(
            FrozenChecklist(slug=slug, name=one.name, version=one.version, translations=_named(one.translations))
            for slug, one in sorted(checklists.items())
        ),
        verdict=standing.tally.verdict,
        items=tuple(
            _item(one, clauses.get(one.entry.pk, []), said, waivers, left_out, places, standing.at)
            for one in standing.items
        ),
        absent=tuple(_absent(entry, places[entry.pk]) for entry in entries if not entry.applies_to(environment.kind)),
    )


def _absent(entry: Entry, place: int) -> FrozenAbsent:
    return FrozenAbsent(
        entry=entry.slug,
        section=entry.section.name,
        title=entry.title,
        checklist=entry.section.checklist.slug,
        place=place,
        translations=_translations(entry),
    )


def _named(translations: Translations) -> Translations:
    """Return a checklist's name in other languages."""
    return {language: {"name": words["name"]} for language, words in translations.items() if words.get("name")}


def _translations(entry: Entry) -> Translations:
    """Return an entry's words in other languages by the names of ``FrozenItem``, its section's name among them."""
    found: dict[str, dict[str, str]] = {}
    kept = ((entry.translations, {"title": "title", "text": "text"}), (entry.section.translations, {"name": "section"}))
    for translations, names in kept:
        for language, words in translations.items():
            found.setdefault(language, {}).update({names[name]: words[name] for name in names if words.get(name)})
    return found


def _item(
    one: ItemStanding,
    clauses: Iterable[Clause],
    said: Mapping[int, Evidence],
    waivers: Mapping[int, Waiver | NotApplicable],
    left_out: Mapping[int, Waiver | NotApplicable],
    places: Mapping[int, int],
    at: datetime,
) -> FrozenItem:
    facts = {clause.clause: clause for clause in one.clauses}
    waiver = waivers.get(one.item.pk)
    return FrozenItem(
        item=one.item.pk,
        entry=one.entry.slug,
        section=one.entry.section.name,
        title=one.entry.title,
        text=one.entry.text,
        status=one.status,
        owner=_name(one.item.owner),
        clauses=tuple(
            _clause(clause, facts.get(clause.slug, ClauseFacts(clause=clause.slug)), one.item.pk, said, at)
            for clause in clauses
        ),
        waiver=_request(waiver) if isinstance(waiver, Waiver) and at < waiver.until else None,
        not_applicable=_request(left_out.get(one.item.pk)),
        checklist=one.entry.section.checklist.slug,
        place=places.get(one.entry.pk),
        translations=_translations(one.entry),
    )


def _clause(clause: Clause, facts: ClauseFacts, item: int, said: Mapping[int, Evidence], at: datetime) -> FrozenClause:
    rests_on = dict.fromkeys(one for one in (facts.passed, facts.ticked, facts.failed) if one in said)
    return FrozenClause(
        clause=clause.slug,
        text=clause.text,
        held=facts.holds_at(at),
        pass_until=facts.pass_until,
        tick_until=facts.tick_until,
        failing_since=facts.counting_since,
        evidence=tuple(_said(said[one], item) for one in rests_on if one is not None),
        translations=clause.translations,
    )


def _said(evidence: Evidence, item: int) -> FrozenEvidence:
    lender = evidence.item.environment if evidence.item_id != item else None
    return FrozenEvidence(
        id=evidence.pk,
        outcome=evidence.outcome,
        summary=evidence.summary,
        by=_name(evidence.by),
        run=evidence.run_id,
        probe=evidence.run.probe if evidence.run else "",
        observed_at=evidence.observed_at,
        valid_until=evidence.valid_until,
        build=evidence.build,
        lent_by=lender.name if lender else "",
        drill=evidence.drill,
        links=tuple(sorted(link.url for link in evidence.links.all())),
        recorded_at=evidence.recorded_at,
        code=evidence.code,
        params=evidence.params,
    )


def _request(grant: Waiver | NotApplicable | None) -> FrozenRequest | None:
    if grant is None or grant.decided_at is None:
        return None
    waiver = grant if isinstance(grant, Waiver) else None
    return FrozenRequest(
        id=grant.pk,
        reason=grant.reason,
        asked_by=_name(grant.asked_by),
        granted_by=_name(grant.decided_by),
        granted_at=grant.decided_at,
        stance=waiver.stance if waiver else "",
        until=waiver.until if waiver else None,
        clauses=tuple(waiver.clauses) if waiver else (),
        asked_at=grant.asked_at,
        note=grant.decision_note,
    )


def _name(person: User | None) -> str:
    return str(person) if person else ""


def _evidence(items: Iterable[ItemStanding]) -> dict[int, Evidence]:
    """Return the statements that items rest on: those that their clauses name."""
    named = {
        one
        for item in items
        for clause in item.clauses
        for one in (clause.passed, clause.ticked, clause.failed)
        if one is not None
    }
    found = Evidence.objects.filter(pk__in=named).select_related("by", "run", "item__environment")
    return {evidence.pk: evidence for evidence in found.prefetch_related("links")}


def _grants(model: type[Waiver] | type[NotApplicable], items: Iterable[int]) -> dict[int, Waiver | NotApplicable]:
    standing = model.objects.filter(item__in=list(items), granted=True, ended_at=None)
    return {grant.item_id: grant for grant in standing.select_related("asked_by", "decided_by")}
