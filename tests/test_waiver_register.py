"""The register: every request as it is at the instant, by rule and by SQL alike, filtered, in order, as a file."""

import csv
import io
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.enums.standing import RequestState
from readiness.enums.words import Judgement
from readiness.models import Environment, NotApplicable, User, Waiver
from readiness.rules.cells import safe_cell
from readiness.rules.waivers import state_at
from readiness.selectors.register import PAGE, STATES, Filters, Line, every_line, register
from readiness.selectors.request_states import KINDS, course_of, with_state
from tests.deeds import REASON, after, ask, ask_to_leave_out, decide, end, observe, on_sheet
from tests.factories import (
    NOW,
    item_of,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import words

MS = timedelta(milliseconds=1)
FAIL = Judgement.FAIL
QUERIES = 14
"""How many queries the page costs, those of the session, the person and the frame included."""


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational"), "assistant-web"), "prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


def lines(at: datetime = NOW, **filters: Any) -> list[Line]:
    return register(Filters(**filters), 1, at).lines


def states(at: datetime) -> list[RequestState]:
    return [line.state for line in lines(at, newest=True)]


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.django_db
@pytest.mark.either_database
def test_a_waiver_is_what_it_is_at_the_instant(prod: Environment, mia: User, ada: User) -> None:
    waiver = ask(mia, item_of(prod, "spend-cap"))
    assert states(NOW) == [RequestState.WAITING]
    decide(ada, waiver)
    at = (waiver.until - MS, waiver.until, waiver.until + MS)
    assert [states(instant) for instant in at] == [
        [RequestState.HOLDING],
        [RequestState.ENDED],
        [RequestState.ENDED],
    ]
    week = waiver.until - timedelta(days=7)
    ending = [len(lines(instant, state="ending")) for instant in (week - MS, week, waiver.until - MS, waiver.until)]
    assert ending == [0, 1, 1, 0]


@pytest.mark.django_db
@pytest.mark.either_database
def test_what_was_left_out_ends_at_a_fail_that_counts_by_the_clock_alone(
    prod: Environment, mia: User, ada: User
) -> None:
    cap = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    fresh = cap.entry.clauses.get().fresh_pass
    assert fresh is not None
    observe(prod, "spend-cap", now=after(seconds=5), cap_matches=FAIL)
    decide(ada, ask_to_leave_out(mia, cap, now=after(seconds=6)), now=after(seconds=7))

    at = (NOW + fresh - MS, NOW + fresh)
    assert [(line.state, line.ends) for instant in at for line in lines(instant)] == [
        (RequestState.HOLDING, None),
        (RequestState.ENDED, NOW + fresh),
    ]


@pytest.mark.django_db
@pytest.mark.either_database
def test_what_was_left_out_ends_where_the_entry_means_another_thing(prod: Environment, mia: User, ada: User) -> None:
    cap = item_of(prod, "spend-cap")
    cap.entry.meanings = {"2": after(days=5).isoformat()}
    request = ask_to_leave_out(mia, cap)
    NotApplicable.objects.filter(pk=request.pk).update(meaning=1)
    cap.entry.save(update_fields=["meanings"])
    decide(ada, request)

    assert [states(at) for at in (after(days=5) - MS, after(days=5))] == [
        [RequestState.HOLDING],
        [RequestState.ENDED],
    ]


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_rule_and_its_twin_in_sql_agree_on_everything_that_can_be_stored(prod: Environment, mia: User) -> None:
    """Bounds fall on each other often: a few instants stand for all. Each item of the sheet holds another request."""
    ada, chance = make_reviewer("ada"), random.Random(7)
    instants = [after(hours=hours) for hours in range(6)]
    compared = 0
    for _ in range(6):
        Waiver.objects.all().delete()
        NotApplicable.objects.all().delete()
        for item in on_sheet(prod):
            item.failing_since = chance.choice([None, *instants])
            item.not_applicable_until = chance.choice([None, *instants])
            item.save()
            answered, granted = chance.random() < 0.8, chance.random() < 0.8
            ended = chance.random() < 0.5
            columns: dict[str, Any] = {"item": item, "reason": REASON, "asked_by": mia, "asked_at": NOW - MS}
            if answered:
                columns |= {"decided_by": ada, "decided_at": NOW, "granted": granted}
            if ended:
                renewed = chance.random() < 0.5
                columns |= {"ended_at": chance.choice(instants), "end_reason": REASON}
                columns |= {"end_reason": "Renewed by a new waiver."} if renewed else {"ended_by": mia}
            Waiver.objects.create(stance="accept-risk", until=chance.choice(instants[1:]), **columns)
            NotApplicable.objects.create(**columns)
        for at in (instant + shift for instant in instants for shift in (-MS, timedelta(0), MS)):
            for kind in KINDS:
                for row in with_state(kind, at).select_related("item"):
                    assert row.state == state_at(course_of(row), at), (kind, vars(row), row.item.facts, at)
                    compared += 1
    assert compared > 5000


@pytest.mark.django_db
@pytest.mark.either_database
def test_every_state_has_a_filter_and_they_part_the_register(prod: Environment, mia: User, ada: User) -> None:
    asked = iter(item_of(prod, entry) for entry in ("spend-cap", "store-false", "rotation-runbook", "audit-log"))
    item = next(asked)
    decide(ada, ask(mia, item, days=2))
    decide(ada, ask(mia, item, days=30, now=after(days=1)), now=after(days=1))
    end(mia, decide(ada, ask_to_leave_out(mia, next(asked))))
    end(mia, ask(mia, next(asked)))
    last = next(asked)
    decide(ada, ask(mia, last), grant=False, note=REASON)
    decide(ada, ask(mia, last, days=0))
    ask(mia, last, now=after(days=1))

    at = after(days=1)
    found = {str(state): [line.state for line in lines(at, state=state)] for state in STATES}
    assert {state: len(some) for state, some in found.items()} == {
        "waiting": 1,
        "holding": 1,
        "ending": 0,
        "ended": 1,
        "revoked": 1,
        "renewed": 1,
        "refused": 1,
        "withdrawn": 1,
    }
    assert all(str(one) == state for state, some in found.items() for one in some)


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_filters_leave_what_they_say(prod: Environment, mia: User, ada: User) -> None:
    other = make_environment(make_service(make_team("Insurance"), "claims"), "prod")
    omar = make_member(other.service.team, "omar")
    first = decide(ada, ask(mia, item_of(prod, "spend-cap"), reason="The billing page is being moved next week."))
    second = ask_to_leave_out(omar, item_of(other, "store-false"), reason="Nothing is ever stored by this one.")

    def left(**filters: Any) -> set[tuple[str, int]]:
        return {(line.kind, line.request.pk) for line in lines(**filters)}

    one, two = ("waiver", first.pk), ("not-applicable", second.pk)
    assert left() == {one, two}
    assert left(team="insurance") == left(service="claims") == left(entry="store-false") == left(person="omar") == {two}
    assert left(person="ada") == left(kind="waiver") == left(text="billing moved") == {one}
    assert left(text="claims") == {two}
    assert left(text="billing claims") == left(team="nowhere") == left(person="nobody") == set()
    assert left(kind="not-applicable", team="insurance") == {two}


@pytest.mark.django_db
@pytest.mark.either_database
def test_what_ends_next_comes_first_and_what_is_over_last(prod: Environment, mia: User, ada: User) -> None:
    entries = ("spend-cap", "store-false", "rotation-runbook", "audit-log", "data-residency")
    later, soon, lasting, past, long_past = (item_of(prod, entry) for entry in entries)
    decide(ada, ask(mia, later, days=60))
    decide(ada, ask(mia, soon, days=20))
    decide(ada, ask_to_leave_out(mia, lasting))
    decide(ada, ask(mia, past, days=9))
    decide(ada, ask(mia, long_past, days=3))

    shown = [line.request.item_id for line in lines(after(days=15))]
    assert shown == [item.pk for item in (soon, later, lasting, past, long_past)]
    newest = [line.request.asked_at for line in lines(after(days=15), newest=True)]
    assert newest == sorted(newest, reverse=True)


@pytest.mark.django_db
@pytest.mark.either_database
def test_a_page_holds_fifty_and_one_beyond_the_last_is_the_last(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    Waiver.objects.bulk_create(
        Waiver(
            item=item,
            reason=REASON,
            asked_by=mia,
            asked_at=NOW + timedelta(minutes=number),
            until=after(days=9),
            ended_at=after(days=1),
            end_reason=REASON,
            ended_by=mia,
            stance="accept-risk",
        )
        for number in range(PAGE + 3)
    )
    pages = [register(Filters(), number, NOW) for number in (0, 1, 2, 3, 10**17)]
    assert [(page.number, len(page.lines), page.pages, page.total) for page in pages] == [
        (1, 50, 2, 53),
        (1, 50, 2, 53),
        (2, 3, 2, 53),
        (2, 3, 2, 53),
        (2, 3, 2, 53),
    ]
    every = [line.request.pk for page in pages[1:3] for line in page.lines]
    assert len(set(every)) == 53
    assert [line.request.pk for line in every_line(Filters(), NOW)] == every


@pytest.mark.django_db
@pytest.mark.either_database
@pytest.mark.parametrize("many", [1, 30])
def test_the_page_costs_the_same_with_one_row_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, many: int
) -> None:
    team, ada, now = make_team(), make_reviewer("ada"), timezone.now()
    jo = make_member(team)
    for place in [make_environment(make_service(team, by=jo), "prod", now=now) for _ in range(many)]:
        decide(ada, ask(jo, item_of(place, "spend-cap"), now=now), now=now)
        ask_to_leave_out(jo, item_of(place, "store-false"), now=now)
    page = signed_in(client, make_person())
    with django_assert_num_queries(QUERIES):
        shown = page.get(reverse("waivers"))
    assert shown.content.decode().count('class="c-now"') == min(PAGE, 2 * many)


@pytest.mark.django_db
@pytest.mark.either_database
@pytest.mark.parametrize(
    "query",
    [
        "state=x",
        "kind=y",
        "page=x",
        "page=-1",
        f"page={'9' * 40}",
        "q=%00",
        "team=%00",
        "sort=z",
        "format=html",
        "person=%25",
    ],
)
def test_nonsense_in_the_address_gets_a_page(client: Client, prod: Environment, query: str) -> None:
    assert signed_in(client, make_person()).get(f"{reverse('waivers')}?{query}").status_code == 200


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_page_says_what_each_request_is(client: Client, prod: Environment, mia: User, ada: User) -> None:
    now = timezone.now()
    decide(ada, ask(mia, item_of(prod, "spend-cap"), days=3, now=now), note="Agreed, with the date.", now=now)
    page = signed_in(client, make_person()).get(reverse("waivers"))

    said = words(page)
    for expected in ("holds", "ends in 3 days", "Monthly spend cap", "assistant-web in prod · Conversational", REASON):
        assert expected in said
    for expected in ("names cap-matches", "mia", "ada", "“Agreed, with the date.”", "we accept the risk"):
        assert expected in said
    assert reverse("item", args=["assistant-web", "prod", "spend-cap"]) in page.content.decode()


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_overview_and_the_waiver_tab_lead_to_the_register(
    client: Client, prod: Environment, mia: User, ada: User
) -> None:
    now = timezone.now()
    decide(ada, ask(mia, item_of(prod, "spend-cap"), now=now), now=now)
    page = signed_in(client, make_person())
    item = reverse("item", args=["assistant-web", "prod", "spend-cap"])
    for address, leads in (
        (reverse("overview"), "?state=holding&amp;kind=waiver&amp;service=assistant-web"),
        (f"{item}?tab=waiver", "?service=assistant-web&amp;entry=spend-cap"),
    ):
        assert f'href="{reverse("waivers")}{leads}"' in page.get(address).content.decode()


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_sheet_and_the_waiver_tab_say_that_a_waiver_ends_soon(
    client: Client, prod: Environment, mia: User, ada: User
) -> None:
    now = timezone.now()
    decide(ada, ask(mia, item_of(prod, "spend-cap"), days=4, now=now), now=now)
    page = signed_in(client, mia)
    assert "ends in 4 days, renew it" in words(page.get(reverse("sheet", args=["assistant-web", "prod"])))
    item = reverse("item", args=["assistant-web", "prod", "spend-cap"])
    assert "ends in 4 days" in words(page.get(f"{item}?tab=waiver"))


# --- as a file --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_spreadsheet_takes_a_text_for_a_formula(begins: str) -> None:
    assert safe_cell(f"{begins}cmd()") == f"'{begins}cmd()"
    assert safe_cell(f" {begins}") == f" {begins}"
    assert safe_cell("") == ""


@pytest.mark.django_db
@pytest.mark.either_database
def test_the_file_holds_exactly_what_the_filters_leave(client: Client, prod: Environment, mia: User, ada: User) -> None:
    now = timezone.now()
    harmful = '=HYPERLINK("https://evil.example"), and a "reason", in two\nlines'
    decide(ada, ask(mia, item_of(prod, "spend-cap"), reason=harmful, now=now), note="-1 from me, but agreed", now=now)
    ask_to_leave_out(mia, item_of(prod, "store-false"), now=now)
    page = signed_in(client, make_person())
    response = page.get(reverse("waivers"), {"format": "csv", "kind": "waiver"})

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == 1
    row = rows[0]
    assert row["reason"].replace("\r\n", "\n") == f"'{harmful}"
    assert row["note"] == "'-1 from me, but agreed"
    assert (row["kind"], row["now"], row["service"], row["environment"]) == (
        "waiver",
        "holding",
        "assistant-web",
        "prod",
    )
    assert (row["asked by"], row["answered by"], row["clauses"]) == ("mia", "ada", "cap-matches")
    assert datetime.fromisoformat(row["until"]) == Waiver.objects.get().until
    both = page.get(reverse("waivers"), {"format": "csv"}).content.decode("utf-8-sig")
    assert [one["kind"] for one in csv.DictReader(io.StringIO(both))] == ["waiver", "not applicable"]
