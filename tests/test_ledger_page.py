"""The ledger in the browser: what it shows to whom, where its links lead, and that an export comes in pieces."""

import re
from html import unescape
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from readiness.models import Event, Item, User
from readiness.rules.chain import report
from readiness.rules.chain_file import rows_in
from readiness.selectors import chain as stored
from readiness.selectors.ledger import NOBODY, SHOWN
from tests.deeds import tick
from tests.factories import item_of, make_admin, make_environment, make_person
from tests.ledgers import append, lively_ledger, stored_rows, update

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
QUERIES = 9
"""How many queries the page costs, those of the session, the person and the frame included."""
PAGE = reverse("ledger")
EXPORT = reverse("ledger-export")
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(make_person("reader"), backend=BACKEND)
    return client


def shown(page: Client, address: str = PAGE, **query: object) -> str:
    response = page.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="event-(\d+)">', html)]


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def link(html: str, name: str) -> str | None:
    found = re.search(rf'<a class="button[^"]*"\s+href="([^"]+)">{name}</a>', html)
    return unescape(found[1]) if found else None


def test_every_event_is_there_newest_first_with_its_number_and_its_hash(page: Client) -> None:
    rows = lively_ledger()
    html = shown(page)
    assert numbers(html) == [row.id for row in reversed(rows)]
    for row in rows:
        assert f">{row.hash[:12]}<" in html
    assert "Zoë ticked “" in words(html)
    assert "Readiness landed a version of the checklist" in words(html)
    assert "does not hold" not in html


def test_the_sealed_text_can_be_unfolded(page: Client) -> None:
    rows = lively_ledger()
    texts = [unescape(text) for text in re.findall(r"<pre[^>]*>(.+?)</pre>", shown(page), re.DOTALL)]
    assert texts == [row.text for row in reversed(rows)]


def test_pages_follow_each_other_without_gap_both_ways(page: Client) -> None:
    while Event.objects.count() < 2 * SHOWN + 7:
        append()
    last = Event.objects.count()
    address, seen, visited = PAGE, [], []
    while address:
        html = shown(page, address)
        seen += numbers(html)
        visited.append(address)
        following = link(html, "Older")
        address = f"{PAGE}{following.removeprefix(PAGE)}" if following else ""
    assert seen == list(range(last, 0, -1))
    assert len(visited) == 3
    back = link(shown(page, visited[2]), "Newer")
    assert back is not None
    assert numbers(shown(page, back)) == list(range(SHOWN + 7, 7, -1))
    newest = link(shown(page, back), "Newer")
    assert newest is not None
    assert numbers(shown(page, newest))[0] == last


def test_a_link_to_a_page_means_the_same_after_more_has_happened(page: Client) -> None:
    lively_ledger()
    before = numbers(shown(page, before=6))
    append()
    assert before == numbers(shown(page, before=6)) == [5, 4, 3, 2, 1]


def test_filters_leave_what_they_say(page: Client) -> None:
    lively_ledger()
    events = list(Event.objects.order_by("-id"))
    zoe = User.objects.get(username="Zoë")
    item = Item.objects.get(entry__slug="rotation-runbook")
    slug = item.service.slug
    for query, fits in (
        ({"kind": "waiver."}, [one for one in events if one.kind.startswith("waiver.")]),
        ({"kind": "item.tick"}, [one for one in events if one.kind.startswith("item.tick")]),
        ({"person": "Zoë"}, [one for one in events if one.actor == zoe]),
        ({"person": NOBODY}, [one for one in events if one.actor is None]),
        ({"service": slug}, [one for one in events if one.service and one.service.slug == slug]),
        ({"item": item.pk}, [one for one in events if one.item == item]),
        ({"item": item.pk, "kind": "waiver.g"}, [one for one in events if one.item == item and "granted" in one.kind]),
    ):
        assert 0 < len(fits) < len(events)
        assert numbers(shown(page, **query)) == [one.pk for one in fits], query


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "none"},
        {"kind": "%"},
        {"person": "nobody-here"},
        {"service": "none"},
        {"item": "9" * 18},
        {"before": 1},
    ],
)
def test_where_nothing_fits_the_page_says_so(page: Client, query: dict[str, Any]) -> None:
    lively_ledger()
    html = shown(page, **query)
    assert numbers(html) == []
    assert "No event fits" in html


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "٣", "9" * 30, "9" * 6000, "\0"])
def test_nonsense_in_the_address_gets_a_page(page: Client, nonsense: str) -> None:
    lively_ledger()
    for name in ("before", "kind", "person", "service", "item"):
        shown(page, **{name: nonsense})


def test_the_page_costs_the_same_with_few_and_with_many_events(page: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            shown(page)
        return len(made)

    lively_ledger()
    shown(page)
    few = queries()
    for _ in range(3):
        lively_ledger_again()
    shown(page)
    assert (few, queries()) == (QUERIES, QUERIES)


def lively_ledger_again() -> None:
    prod = make_environment()
    tick(make_admin(), item_of(prod, "rotation-runbook"))


def test_an_event_that_was_tampered_with_says_so_on_the_page(page: Client) -> None:
    lively_ledger()
    update(5, "kind", "item.ticked")
    update(6, "text", "{}")
    html = words(shown(page))
    assert "This does not hold. Event 5: the column kind says “item.ticked”" in html
    assert "This event cannot be put into words" in html
    assert "This does not hold. Event 6: its text and its hash do not belong together" in html


def test_what_people_write_is_shown_as_text(page: Client) -> None:
    append(summary="<script>alert(1)</script>")
    html = shown(page)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


# --- export -----------------------------------------------------------------------------------------------------------
def person(role: str) -> User:
    return {
        "reader": make_person,
        "auditor": lambda: make_person(is_auditor=True),
        "admin": make_admin,
    }[role]()


@pytest.mark.parametrize(("role", "may"), [("reader", False), ("auditor", True), ("admin", True)])
def test_only_auditors_and_admins_export_and_the_page_says_so(client: Client, role: str, may: bool) -> None:
    client.force_login(person(role), backend=BACKEND)
    sentence = "Only an auditor or an admin exports the ledger."
    html = shown(client)
    assert (f'href="{EXPORT}"' in html, sentence in html) == (may, not may)
    response = client.get(EXPORT)
    assert response.status_code == (200 if may else 403)
    if not may:
        assert sentence in response.content.decode()
    response.close()


def test_somebody_who_left_exports_nothing(client: Client) -> None:
    auditor = person("auditor")
    client.force_login(auditor, backend=BACKEND)
    User.objects.filter(pk=auditor.pk).update(is_active=False)
    assert client.get(EXPORT).status_code == 302


def exported(**query: object) -> tuple[StreamingHttpResponse, list[bytes]]:
    """What a server gets to send, piece by piece."""
    auditor = person("auditor")

    async def take() -> tuple[StreamingHttpResponse, list[bytes]]:
        client = AsyncClient()
        await client.aforce_login(auditor, backend=BACKEND)
        response: Any = await client.get(EXPORT, query)
        return response, [piece async for piece in response.streaming_content]

    return async_to_sync(take)()


def test_the_export_is_the_one_of_the_command_and_comes_in_pieces(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    rows = lively_ledger()
    monkeypatch.setattr(stored, "PAGE", 5)
    response, pieces = exported()
    assert response.headers["Content-Disposition"] == 'attachment; filename="ledger.jsonl"'
    assert response.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert len(pieces) > 2
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b"".join(pieces))
    with path.open("rb") as file:
        found = report(rows_in(file))
    assert (found.holds, found.count) == (True, len(rows))
    _, later = exported(after=len(rows) - 1)
    assert b"".join(later) == path.read_bytes().splitlines(keepends=True)[-1]


def test_an_export_of_nothing_is_empty() -> None:
    last = stored_rows()[-1].id
    assert exported(after=last)[1] == []


def test_the_ledger_is_linked_where_people_ask_what_happened(page: Client) -> None:
    prod = make_environment()
    item = item_of(prod, "rotation-runbook")
    sheet = reverse("sheet", args=[prod.service.slug, prod.name])
    assert f'href="{PAGE}?service={prod.service.slug}"' in shown(page, sheet)
    history = reverse("item", args=[prod.service.slug, prod.name, item.entry.slug])
    assert f'href="{PAGE}?item={item.pk}"' in shown(page, history, tab="history")
