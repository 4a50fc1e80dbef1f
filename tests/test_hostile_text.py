"""What people write is text wherever it is shown or sent: markup, unseen signs, writing from the right."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from readiness.models import ApiToken, Decision, Event, Review
from readiness.rules.chain import report
from readiness.rules.chain_file import rows_in
from tests.checklist_deeds import landed
from tests.checklist_texts import checklist, clause, entry
from tests.deeds import ask, decide, settle
from tests.ledgers import append
from tests.programs import make_token
from tests.test_ledger_page import exported
from tests.test_permissions import Place, place

__all__ = ["place"]
IMAGE = "<img src=x onerror=alert(2)>"
MARKUP = f"</textarea></script><script>alert(1)</script>{IMAGE}"
UNSEEN = "\u202etfel\u202c \u2066x \u200b\u2028"
HOSTILE = f"{MARKUP}\"' {{{{ 7 }}}} {UNSEEN} &lt;b&gt;, a sentence."


def written_everywhere(place: Place) -> Decision:
    """Have everybody write it wherever they can; return a decision whose snapshot, conditions and dissents hold it."""
    now, key, today = timezone.now(), place.item.pk, timezone.localdate().isoformat()
    texts = dict.fromkeys(("text", "why", "how", "evidence"), HOSTILE)
    hostile = entry("readme", clause(text=MARKUP), title=IMAGE, **texts)
    landed(place.people["admin"], replace(checklist(hostile), changes=HOSTILE), now=now)
    settle(place.prod, place.people["member"], but=["spend-cap"], now=now)
    ApiToken.objects.all().delete()
    make_token(IMAGE, by=place.people["admin"])
    reviewer = place.client("reviewer")
    assert reviewer.post(place.address("review-minutes"), {"minutes": HOSTILE, "seen_version": 1}).status_code == 302
    fields = {
        "kind": "go-with-conditions",
        "note": HOSTILE,
        "dissents": 1,
        "dissent-0-by": place.people["member"].pk,
        "dissent-0-reason": HOSTILE,
        f"reason-{key}": HOSTILE,
        f"owner-{key}": place.people["member"].pk,
        f"until-{key}": today,
    }
    form = {**place.form("launch-decide"), **fields}
    assert reviewer.post(place.address("launch-decide"), form).status_code == 302
    waiver = ask(place.people["member"], place.item, reason=f"={HOSTILE}", now=now)
    decide(place.people["reviewer"], waiver, note=f"\uff1d{HOSTILE}", now=now)
    return Decision.objects.latest("pk")


@pytest.mark.django_db
@pytest.mark.either_database
def test_no_page_takes_what_people_wrote_for_markup(place: Place) -> None:
    made = written_everywhere(place)
    assert Review.objects.get().minutes == HOSTILE
    readme = reverse("item", args=[place.prod.service.slug, place.prod.name, "readme"])
    addresses = [made.get_absolute_url(), reverse("checklist", args=["release"]), readme]
    addresses += [f"{place.address('item')}?tab={tab}" for tab in ("waiver", "history", "evidence")]
    names = "review", "review-change", "launch-decide", "ledger", "sheet", "sheet-at", "waivers", "launches", "tokens"
    addresses += [place.address(name) for name in (*names, "my-items", "overview", "checklists")]
    found = 0
    for address in addresses:
        for role in ("admin", "member", "reviewer"):
            response = place.client(role).get(address)
            if address != place.address("review-change") or role == "reviewer":
                assert response.status_code == 200, address
            html = response.content.decode()
            assert "<script>alert" not in html, address
            assert "<img src=x" not in html, address
            found += "&lt;img src=x" in html
    assert found > len(addresses), "It was there to be escaped."


@pytest.mark.django_db
def test_files_hold_what_people_wrote_and_no_formula(place: Place, tmp_path: Path) -> None:
    written_everywhere(place)
    response = place.client("reader").get(place.address("waivers"), {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [(row["reason"], row["note"]) for row in rows] == [(f"'={HOSTILE}", f"'\uff1d{HOSTILE}")]

    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(exported()[1]))
    with path.open("rb") as file:
        assert report(rows_in(file)).holds
    lines: list[Any] = [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]
    said = [json.loads(line["text"])["data"] for line in lines]
    assert len(lines) == Event.objects.count()
    assert [data["to"] for data in said if data.get("to") == HOSTILE] == [HOSTILE]
    assert [data["reason"] for data in said if "stance" in data] == [f"={HOSTILE}"]


@pytest.mark.django_db(transaction=True)
def test_an_export_verifies_while_events_are_appended(tmp_path: Path) -> None:
    for _ in range(600):
        append()
    enough = Flag()

    def grow() -> None:
        try:
            while not enough.is_set():
                append(text=HOSTILE)
        finally:
            connections.close_all()

    growing = Thread(target=grow)
    growing.start()
    try:
        _, pieces = exported()
    finally:
        enough.set()
        growing.join()
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(pieces))
    with path.open("rb") as file:
        found = report(rows_in(file))
    assert found.holds
    assert found.count >= 600
