"""The page of a run, the trail that it is part of, and its facts drawn instead of dumped."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from readiness.actions import runs
from readiness.enums.words import Judgement
from readiness.models import Environment, Run, User
from readiness.rules.findings import Finding
from readiness.selectors.items import item_detail
from readiness.selectors.trails import MOST, key_seen_since, trail
from readiness.templatetags import run_charts
from tests.deeds import claimed, observe
from tests.factories import NOW, item_of, make_environment, make_member, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
BUFFERED: dict[str, Any] = {
    "route": "https://assistant.example.ca/stream/canary",
    "fetches": [{"header_ms": 3510.0, "status": 200, "events": [{"sent_ms": 0.0, "arrived_ms": 3512.0}]}],
}


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "one", by=mia), "prod", by=mia)


def told(environment: Environment, run: Run, facts: dict[str, Any]) -> Run:
    Run.objects.filter(pk=run.pk).update(facts=facts)
    run.refresh_from_db()
    return run


def test_a_run_has_a_page_with_its_trail_its_facts_and_what_to_change(
    client: Client, mia: User, prod: Environment
) -> None:
    for hour in range(MOST + 2):
        observe(prod, "proxy-buffering", now=NOW + timedelta(hours=hour), stream_not_held=Judgement.PASS)
    last = claimed(prod, "proxy-buffering", now=NOW + timedelta(hours=40))
    sentence = "8 events were sent 500 ms apart and all arrived at once."
    finding = Finding(
        clause="stream-not-held",
        judgement=Judgement.FAIL,
        code="proxy-buffering.held-to-the-end",
        sentence=sentence,
        params={},
    )
    at = NOW + timedelta(hours=40)
    assert runs.finish(run=last, facts=BUFFERED, findings=[finding], probe_version=1, build="", observed_at=at, now=at)
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("run", args=["one", "prod", "sse-not-buffered", last.pk])
    html = client.get(address).content.decode()
    assert sentence in html
    assert "location /stream/ {\n    # proxy_pass as it is\n    proxy_buffering off;" in html
    assert html.count('class="run-mark') == MOST
    assert "The last 30 runs: 29 passed, 1 failed." in html
    assert "3.51 s" in html
    assert "The run before" in html
    assert "The run after" not in html
    assert client.get(address + "?form=json").json() == BUFFERED
    panel = client.get(reverse("item", args=["one", "prod", "sse-not-buffered"]) + "?tab=runs").content.decode()
    assert "proxy_buffering off;" in panel
    assert f'href="{address}"' in panel
    assert "{&quot;" not in panel, "Nothing is dumped."
    detail = item_detail(prod, item_of(prod, "sse-not-buffered"), NOW)
    assert [run.pk for run in detail.trails["proxy-buffering"]][-1] == last.pk


def test_a_key_is_as_old_as_the_first_run_that_saw_it_since_another(prod: Environment) -> None:
    seen = [
        told(
            prod,
            observe(prod, "key-validity", now=NOW + timedelta(days=day), key_accepted=Judgement.PASS),
            {"fingerprint": mark} if mark else {"resolved": False},
        )
        for day, mark in enumerate(("aa", "bb", "aa", "", "aa"))
    ]
    assert [key_seen_since(run) for run in seen] == [
        NOW,
        NOW + timedelta(days=1),
        NOW + timedelta(days=2),
        None,
        NOW + timedelta(days=2),
    ]
    assert [run.pk for run in trail(prod, "key-validity")] == [run.pk for run in seen]


@pytest.mark.parametrize(
    ("days", "share", "limit", "kind"),
    [(0, "1.0%", "100.0%", "pass"), (73, "20.0%", "100.0%", "pass"), (730, "100.0%", "50.0%", "fail")],
)
def test_the_age_of_a_key_grows_toward_a_year(days: int, share: str, limit: str, kind: str) -> None:
    drawn = run_charts.key_bar(NOW, NOW + timedelta(days=days))
    assert drawn is not None
    assert (drawn.bars[0].share, drawn.limit, drawn.bars[0].kind) == (share, limit, kind)
    assert run_charts.key_bar(None, NOW) is None


def test_caps_are_drawn_on_one_scale_where_they_are_two_amounts_of_one_currency() -> None:
    facts = {"declared": "1500.00", "declared_currency": "CAD", "cap": "3000", "currency": "cad"}
    drawn = run_charts.cap_bars(facts)
    assert drawn is not None
    assert [(bar.share, bar.value, bar.kind) for bar in drawn.bars] == [
        ("50.0%", "1,500 CAD", ""),
        ("100.0%", "3,000 CAD", "fail"),
    ]
    for wrong in ({"cap": "NaN"}, {"cap": None}, {"cap": "-1"}, {"currency": "USD"}, {"declared": "a text"}):
        assert run_charts.cap_bars({**facts, **wrong}) is None


def test_records_within_records_are_tables_of_their_own() -> None:
    found = list(run_charts.tables({"a": {"list": [{"x_ms": 1, "in": [{"y": 2}]}, {"z": True}, 3]}}, ()))
    assert [(one.name, one.columns, one.rows) for one in found] == [
        ("A list", ["X", "Z"], [["1 ms", ""], ["", "yes"]]),
        ("A list 1 in", ["Y"], [["2"]]),
    ]
