"""What a decision freezes, and that what older ones froze still reads and verifies."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from readiness.enums.words import DecisionKind
from readiness.models import Clause, Decision, Entry, Section
from readiness.rules.snapshots import hash_of, read, write
from tests.deeds import after, ask, decide, decide_on, on_sheet, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer

FORMAT_1 = (
    '{"at":"2026-03-02T09:01:00.000000+00:00","checklists":[{"name":"Bastion","slug":"bastion","version":1}],'
    '"environment":{"build":"","id":1,"kind":"dev","launch_on":"","name":"dev","service":"assistant-web",'
    '"team":"Conversational"},"format":1,"items":[{"clauses":[{"clause":"cap-matches","evidence":[{"build":"",'
    '"by":"mia","drill":false,"id":7,"lent_by":"","links":["https://docs.example.ca/a"],'
    '"observed_at":"2026-03-02T09:00:00.000000+00:00","outcome":"pass","probe":"","run":null,'
    '"summary":"Looked at it.","valid_until":"2026-06-01T04:00:00.000000+00:00"}],"failing_since":null,"held":true,'
    '"pass_until":null,"text":"The cap is the one that was declared.",'
    '"tick_until":"2026-06-01T04:00:00.000000+00:00"}],"entry":"spend-cap","item":3,"not_applicable":null,"owner":"mia","section":"Cost","status":"attested",'
    '"text":"A spend cap is set.","title":"Spend cap","waiver":{"asked_by":"mia","clauses":[],"granted_at":'
    '"2026-03-02T09:00:30.000000+00:00","granted_by":"ada","id":4,"reason":"It moves.","stance":"Accept the risk",'
    '"until":"2026-04-01T04:00:00.000000+00:00"}}],"verdict":"ready"}'
)
"""As decisions wrote it before format 2."""


def test_a_snapshot_of_format_1_still_reads_and_keeps_its_hash() -> None:
    found = read(FORMAT_1)
    assert hash_of(FORMAT_1) == "362e1c12a656e1150da685cc38e6fa451e52b43d3be15f761b7d37cb666ab6b3"
    (item,) = found.items
    (said,) = item.clauses[0].evidence
    assert (found.format, found.absent, item.place, item.translations) == (1, (), None, {})
    assert (said.by, said.links, said.recorded_at) == ("mia", ("https://docs.example.ca/a",), None)
    assert item.waiver is not None
    assert (item.waiver.granted_by, item.waiver.asked_at, item.waiver.note) == ("ada", None, "")
    assert item.waiver.until == datetime(2026, 4, 1, 4, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
def test_a_snapshot_freezes_all_that_a_pack_says_whatever_becomes_of_it_and_whoever_decides() -> None:
    dev = make_environment(name="dev", kind="dev")
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    tick(mia, item_of(dev, "logs-redacted"), now=NOW)
    decide(ada, ask(mia, item_of(dev, "spend-cap")), note="Until the audit.", now=after(minutes=1))
    cap = Entry.objects.get(slug="spend-cap")
    Entry.objects.filter(pk=cap.pk).update(translations={"fr": {"title": "Plafond", "how": "…"}})
    Section.objects.filter(pk=cap.section_id).update(translations={"fr": {"name": "Coûts"}})
    Clause.objects.filter(entry=cap).update(translations={"fr": {"text": "Le plafond tient."}})
    with translation.override("fr"):
        decision = decide_on(dev, ada, DecisionKind.NO_GO, now=after(minutes=2))
    frozen = Decision.objects.get(pk=decision.pk).snapshot
    found = read(frozen)
    assert write(found) == frozen
    assert found.format == 2
    by_entry = {one.entry: one for one in found.items}
    asked, absent = [one.entry for one in found.items], [one.entry for one in found.absent]
    assert sorted([*asked, *absent]) == sorted(Entry.objects.values_list("slug", flat=True))
    assert set(asked) == {item.entry.slug for item in on_sheet(dev)}
    places = [one.place for one in (*found.items, *found.absent)]
    assert sorted(place for place in places if place is not None) == list(range(len(places)))
    assert by_entry["spend-cap"].title == Entry.objects.get(slug="spend-cap").title != "Plafond"
    waiver = by_entry["spend-cap"].waiver
    assert waiver is not None
    assert (waiver.stance, waiver.asked_at, waiver.note) == ("accept-risk", NOW, "Until the audit.")
    assert by_entry["spend-cap"].translations == {"fr": {"title": "Plafond", "section": "Coûts"}}
    assert by_entry["spend-cap"].clauses[0].translations == {"fr": {"text": "Le plafond tient."}}
    (said,) = by_entry["logs-redacted"].clauses[0].evidence
    assert (said.observed_at, said.recorded_at, said.links) == (NOW, NOW, ("https://docs.example.ca/a",))
