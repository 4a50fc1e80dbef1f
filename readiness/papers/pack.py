"""The pack of a decision, as a paper and as JSON: the same content, from the same frozen words."""

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext, pgettext

from readiness.enums.words import Outcome, Stance
from readiness.rules.chain import instant_text
from readiness.rules.messages import tell
from readiness.rules.snapshots import (
    FrozenAbsent,
    FrozenClause,
    FrozenEvidence,
    FrozenItem,
    FrozenRequest,
    Snapshot,
)
from readiness.rules.spoken import counted_words, in_language, long_day
from readiness.selectors.packs import Pack, PackCondition
from readiness.templatetags.readiness_words import verdict_word

from .paper import (
    Alert,
    Check,
    ClauseGroup,
    ClauseRow,
    EvidenceBlock,
    EvidenceGroup,
    EvidenceRow,
    Fact,
    Facts,
    ItemGroup,
    ItemRow,
    Items,
    Paper,
    PaperCell,
    Part,
    Prose,
    Said,
    Section,
    Signature,
    SignatureCell,
    Statement,
    Statements,
    Word,
)
from .words import kind_tone, kind_words, last_day_words, letter_of, moment_words, status_word, tone_of

COMMAND = "jq -j .snapshot pack.json | sha256sum"
"""What gives the hash of the snapshot that the JSON of a pack holds."""

JSON_FORMAT = 1


def pack_paper(pack: Pack, *, base: str) -> Paper:
    """Return the pack of a decision as a paper, in the language that is active.

    ``base`` is the address of this installation, for links that work outside of it.
    """
    decision, snapshot = pack.decision, pack.snapshot
    number = decision.pk
    if snapshot is None:
        return Paper(
            name=f"decision-{number}-pack",
            title=_("Decision {number}").format(number=number),
            eyebrow=_("Pack of decision {number}").format(number=number),
            lead="",
            author=pack.by,
            footer=_("Decision {number}, SHA-256 {hash}").format(number=number, hash=decision.hash),
            dated=decision.at,
            sections=[Section(slug="snapshot", heading="", blocks=[_alert(pack)])],
        )
    place = snapshot.environment
    title = _("{decision} for {service} in {environment}").format(
        decision=kind_words(decision.kind), service=place.service, environment=place.name
    )
    return Paper(
        name=f"{place.service}-{place.name}-decision-{number}",
        title=title,
        eyebrow=_("Pack of decision {number}").format(number=number),
        lead=_("Decided by {person} on {moment}, in the review “{review}”.").format(
            person=pack.by, moment=moment_words(decision.at), review=pack.review
        ),
        author=pack.by,
        footer=_("Decision {number}, SHA-256 {hash}").format(number=number, hash=decision.hash),
        dated=decision.at,
        word=Word(text=kind_words(decision.kind), tone=kind_tone(decision.kind)),
        beside=_("The sheet was: {verdict}").format(verdict=verdict_word(decision.verdict)),
        strip=_strip(snapshot),
        sentence=_counts(snapshot),
        sections=list(_sections(pack, snapshot, base)),
    )


def pack_json(pack: Pack) -> dict[str, Any]:
    """Return the pack of a decision as JSON. Its words are codes and what people wrote; instants are UTC.

    ``snapshot`` is the text whose SHA-256 is ``hash``, and ``sheet`` is the same, read; both are null where the ledger
    does not vouch for it.
    """
    decision = pack.decision
    return {
        "format": JSON_FORMAT,
        "decision": decision.pk,
        "kind": decision.kind,
        "verdict": decision.verdict,
        "by": pack.by,
        "at": instant_text(decision.at),
        "review": {"id": decision.review_id, "title": pack.review},
        "note": decision.note,
        "instead_of": pack.instead_of,
        "conditions": [
            {
                "item": one.item,
                "title": one.title,
                "reason": one.reason,
                "owner": one.owner,
                "until": instant_text(one.until),
            }
            for one in pack.conditions
        ],
        "dissents": [{"by": by, "reason": reason} for by, reason in pack.dissents],
        "hash": decision.hash,
        "intact": pack.snapshot is not None,
        "sealed_by": {"event": pack.event.pk, "hash": pack.event.hash} if pack.event else None,
        "check": COMMAND,
        "sheet": json.loads(decision.snapshot) if pack.snapshot else None,
        "snapshot": decision.snapshot if pack.snapshot else None,
    }


def _sections(pack: Pack, snapshot: Snapshot, base: str) -> Iterable[Section]:
    yield Section(slug="about", heading="", blocks=[_about(pack, snapshot, base)])
    if pack.decision.note:
        yield Section(slug="note", heading=_("Note"), blocks=[Prose(text=pack.decision.note)])
    if pack.conditions:
        yield Section(slug="conditions", heading=_("Conditions"), blocks=[_conditions(pack, snapshot)])
    waived = [one for one in snapshot.items if one.waiver is not None or one.not_applicable is not None]
    if waived:
        rows = [_grant(one, _title(one)) for one in waived]
        yield Section(slug="waivers", heading=_("Waivers and what does not apply"), blocks=[Statements(rows=rows)])
    if pack.dissents:
        yield Section(slug="dissent", heading=_("Dissent"), blocks=[_dissents(pack)])
    yield Section(slug="signed", heading="", blocks=[_signature(pack)])
    yield Section(slug="items", heading=_("Items"), blocks=[_items(snapshot)], new_page=True)
    yield Section(slug="evidence", heading=_("Evidence"), blocks=[_evidence(pack, snapshot, base)], new_page=True)
    yield Section(slug="check", heading=_("How to check this pack"), blocks=[_check(pack)])


def _about(pack: Pack, snapshot: Snapshot, base: str) -> Facts:
    place, decision = snapshot.environment, pack.decision
    review = Part(pack.review, base + reverse("review", args=[decision.review_id]))
    own = Part(str(decision.pk), base + decision.get_absolute_url())
    sheet = base + reverse("sheet", args=[place.service, place.name])
    launch = parse_date(place.launch_on) if place.launch_on else None
    checklists = ", ".join(
        _("{checklist}, version {version}").format(
            checklist=in_language(one.name, one.translations, "name"), version=one.version
        )
        for one in snapshot.checklists
    )
    rows = [
        (_("Service"), [Part(place.service, base + reverse("service", args=[place.service]))]),
        (_("Environment"), [Part(place.name, sheet), Part(f" ({place.kind})" if place.kind != place.name else "")]),
        (_("Team"), [Part(place.team)]),
        (_("Build"), [Part(place.build or _("not known"))]),
        (_("Launch date"), [Part(long_day(launch) if launch else _("not set"))]),
        (_("Checklist"), [Part(checklists)]),
        (_("Decision"), [own]),
        (_("Review"), [review]),
        (_("Frozen"), [Part(moment_words(snapshot.at))]),
        (_("Time zone"), [Part(timezone.get_current_timezone_name())]),
    ]
    if pack.instead_of is not None:
        earlier = Part(str(pack.instead_of), base + reverse("decision", args=[pack.instead_of]))
        rows.append((_("Takes the place of decision"), [earlier]))
    return Facts(rows=[Fact(label=label, parts=parts) for label, parts in rows])


def _conditions(pack: Pack, snapshot: Snapshot) -> Statements:
    titles = {one.item: _title(one) for one in snapshot.items}
    return Statements(rows=[_condition(titles.get(one.item, one.title), one) for one in pack.conditions])


def _condition(head: str, one: PackCondition) -> Statement:
    until = _("{owner} owns it, until the end of {day}").format(owner=one.owner, day=last_day_words(one.until))
    return Statement(head=head, sub=until, quote=one.reason)


def _dissents(pack: Pack) -> Statements:
    return Statements(
        rows=[
            Statement(head=_("{person} did not agree").format(person=by), quote=reason) for by, reason in pack.dissents
        ]
    )


def _signature(pack: Pack) -> Signature:
    return Signature(
        cells=[
            SignatureCell(value=kind_words(pack.decision.kind), label=_("Decision")),
            SignatureCell(value=pack.by, label=_("Decided by")),
            SignatureCell(value=moment_words(pack.decision.at), label=_("When")),
        ]
    )


def _check(pack: Pack) -> Check:
    event = pack.event.pk if pack.event else 0
    return Check(
        label=_("SHA-256 of the snapshot"),
        hash=pack.decision.hash,
        words=[
            _(
                "This pack was made of a snapshot of the sheet, frozen when this was decided, and of event {event} of "
                "the ledger, which seals its hash. The JSON of this pack holds the snapshot as a text, and that text "
                "has this SHA-256:"
            ).format(event=event),
        ],
        note=_("Letters that a PDF has no font for are told as [?] in it; the page and the JSON have them."),
        command=COMMAND,
    )


def _alert(pack: Pack) -> Alert:
    if pack.computed != pack.decision.hash:
        title = _("The snapshot was changed.")
        text = _("Recomputed it gives {hash}. What it says is not told, since it is not what was decided on.").format(
            hash=pack.computed
        )
    else:
        title = _("The ledger does not vouch for this snapshot.")
        text = _(
            "It holds no event of this decision with this hash. What the snapshot says is not told, since it may not "
            "be what was decided on."
        )
    return Alert(title=title, text=text)


# --- items ------------------------------------------------------------------------------------------------------------
def _in_order(snapshot: Snapshot) -> list[FrozenItem | FrozenAbsent]:
    """Return what is asked and what is not asked here, in the order of the checklist; format 1 knows items alone."""
    rows: list[FrozenItem | FrozenAbsent] = [*snapshot.items, *snapshot.absent]
    known = all(one.place is not None for one in rows)
    return sorted(rows, key=lambda one: one.place or 0) if known else rows


def _by_section(rows: Iterable[FrozenItem | FrozenAbsent]) -> Iterable[tuple[str, list[FrozenItem | FrozenAbsent]]]:
    for _key, group in groupby(rows, key=lambda one: (one.checklist, one.section)):
        members = list(group)
        yield in_language(members[0].section, members[0].translations, "section"), members


def _strip(snapshot: Snapshot) -> list[list[PaperCell]]:
    return [
        [
            PaperCell(letter=letter_of(one.status), words=f"{_title(one)}: {status_word(one.status)}")
            if isinstance(one, FrozenItem)
            else PaperCell(letter="n", words=f"{_title(one)}: {_not_here()}")
            for one in members
        ]
        for _name, members in _by_section(_in_order(snapshot))
    ]


def _counts(snapshot: Snapshot) -> str:
    statuses = [one.status for one in snapshot.items]
    known = ("verified", "attested", "waived", "failing", "stale", "open", "not-applicable")
    counted = [(one, statuses.count(one)) for one in known]
    words = [counted_words(one, count) for one, count in counted if count]
    if snapshot.absent:
        absent = len(snapshot.absent)
        words.append(
            npgettext("items", "{n} not asked of {kind}", "{n} not asked of {kind}", absent).format(
                n=absent, kind=snapshot.environment.kind
            )
        )
    return ", ".join(words)


def _items(snapshot: Snapshot) -> Items:
    rows = _in_order(snapshot)
    numbers = {id(one): str(number) for number, one in enumerate(rows, start=1)}
    return Items(
        heads=[_("No."), "", _("Item"), _("Status"), _("Owner")],
        groups=[
            ItemGroup(name=name, rows=[_item_row(one, numbers[id(one)]) for one in members])
            for name, members in _by_section(rows)
        ],
    )


def _item_row(one: FrozenItem | FrozenAbsent, number: str) -> ItemRow:
    if isinstance(one, FrozenAbsent):
        return ItemRow(number=number, letter="n", title=_title(one), word=_not_here(), tone="na", owner="", rests="")
    return ItemRow(
        number=number,
        letter=letter_of(one.status),
        title=_title(one),
        word=status_word(one.status),
        tone=tone_of(one.status),
        owner=one.owner or _("nobody"),
        rests=_rests(one),
    )


def _rests(one: FrozenItem) -> str:
    """Say in one line what an item rests on: its waiver, or the newest statement that it has."""
    if one.status == "waived" and one.waiver is not None and one.waiver.until is not None:
        return _("Waived by {person} until the end of {day}").format(
            person=one.waiver.granted_by, day=last_day_words(one.waiver.until)
        )
    if one.status == "not-applicable" and one.not_applicable is not None:
        return _("Agreed by {person} on {moment}").format(
            person=one.not_applicable.granted_by, moment=moment_words(one.not_applicable.granted_at)
        )
    said = [said for clause in one.clauses for said in clause.evidence]
    return _who_and_when(max(said, key=lambda said: said.observed_at)) if said else ""


def _evidence(pack: Pack, snapshot: Snapshot, base: str) -> EvidenceBlock:
    return EvidenceBlock(
        groups=[
            EvidenceGroup(
                name=name,
                rows=[
                    _evidence_row(one, pack.condition_on(one), snapshot, base)
                    for one in members
                    if isinstance(one, FrozenItem)
                ],
            )
            for name, members in _by_section(_in_order(snapshot))
            if any(isinstance(one, FrozenItem) for one in members)
        ]
    )


def _evidence_row(one: FrozenItem, condition: PackCondition | None, snapshot: Snapshot, base: str) -> EvidenceRow:
    return EvidenceRow(
        letter=letter_of(one.status),
        title=_title(one),
        word=status_word(one.status),
        tone=_tag_tone(one.status),
        text=in_language(one.text, one.translations, "text"),
        owner=_("Owner: {person}").format(person=one.owner) if one.owner else _("Nobody owned it."),
        grants=list(_why_it_waits(one, condition)),
        groups=list(_clauses(one, snapshot, base)),
    )


def _clauses(item: FrozenItem, snapshot: Snapshot, base: str) -> Iterable[ClauseGroup]:
    """Yield the clauses of an item: those in a row that rest on the same words share them."""
    rows = [(_clause(one), [_said(said, item, snapshot, base) for said in one.evidence]) for one in item.clauses]
    for said, group in groupby(rows, key=lambda row: row[1]):
        clauses = [clause for clause, _said_of_it in group]
        nothing = ngettext("Nothing was said of it.", "Nothing was said of them.", len(clauses))
        yield ClauseGroup(clauses=clauses, said=said, nothing=nothing)


def _clause(clause: FrozenClause) -> ClauseRow:
    failing = not clause.held and clause.failing_since is not None
    return ClauseRow(
        word=_("held") if clause.held else _("not held"),
        tone="verified" if clause.held else "failing" if failing else "open",
        text=in_language(clause.text, clause.translations, "text"),
    )


def _said(one: FrozenEvidence, item: FrozenItem, snapshot: Snapshot, base: str) -> Said:
    notes = [_who_and_when(one)]
    if one.build:
        notes.append(_("build {build}").format(build=one.build))
    if one.recorded_at is not None and one.recorded_at != one.observed_at:
        notes.append(_("recorded {moment}").format(moment=moment_words(one.recorded_at)))
    if one.valid_until is not None:
        notes.append(_("counts until {moment}").format(moment=moment_words(one.valid_until)))
    links = list(one.links)
    if one.run is not None:
        place = snapshot.environment
        links.append(base + reverse("run", args=[place.service, one.lent_by or place.name, item.entry, one.run]))
    summary = tell(one.code, one.params, one.summary).text if one.run is not None else one.summary
    return Said(lead=" · ".join(notes), summary=summary, links=links)


def _who_and_when(one: FrozenEvidence) -> str:
    outcome = str(Outcome(one.outcome).label) if one.outcome in Outcome.values else one.outcome
    moment = moment_words(one.observed_at)
    if one.by:
        return _("{outcome}: {person}, {moment}").format(outcome=outcome, person=one.by, moment=moment)
    words = {
        (False, False): _("{outcome}: probe {probe}, run {run}, {moment}"),
        (False, True): _("{outcome}: probe {probe}, run {run} in {environment}, {moment}"),
        (True, False): _("{outcome}: probe {probe}, run {run} in a drill, {moment}"),
        (True, True): _("{outcome}: probe {probe}, run {run} in a drill in {environment}, {moment}"),
    }[one.drill, bool(one.lent_by)]
    return words.format(outcome=outcome, probe=one.probe, run=one.run, environment=one.lent_by, moment=moment)


def _why_it_waits(one: FrozenItem, condition: PackCondition | None) -> Iterable[Statement]:
    if one.waiver is not None:
        yield _grant(one, pgettext("status", "Waived"))
    elif one.not_applicable is not None:
        yield _grant(one, pgettext("status", "Not applicable"))
    if condition is not None:
        yield _condition(_("Condition"), condition)


def _grant(one: FrozenItem, head: str) -> Statement:
    """Return the grant that stood on an item, under a head."""
    grant = one.waiver or one.not_applicable
    assert grant is not None, "An item without a grant has nothing to say of one."
    return Statement(head=head, sub=_grant_words(grant), quote=_reason(grant))


def _grant_words(grant: FrozenRequest) -> str:
    asked = (
        _("asked by {person}").format(person=grant.asked_by)
        if grant.asked_at is None
        else _("asked by {person} on {moment}").format(person=grant.asked_by, moment=moment_words(grant.asked_at))
    )
    parts = [
        _("granted by {person} on {moment}").format(person=grant.granted_by, moment=moment_words(grant.granted_at)),
        asked,
    ]
    if grant.until is not None:
        parts.insert(0, _("until the end of {day}").format(day=last_day_words(grant.until)))
    if grant.stance:
        parts.append(str(Stance(grant.stance).label) if grant.stance in Stance.values else grant.stance)
    return ", ".join(parts)


def _reason(grant: FrozenRequest) -> str:
    if not grant.note:
        return grant.reason
    said = _("{person}: {words}").format(person=grant.granted_by, words=grant.note)
    return f"{grant.reason}\n{said}"


def _tag_tone(status: str) -> str:
    tone = tone_of(status)
    return "open" if tone in ("stale", "na") else tone


def _title(one: FrozenItem | FrozenAbsent) -> str:
    return in_language(one.title, one.translations, "title")


def _not_here() -> str:
    return _("not asked here")
