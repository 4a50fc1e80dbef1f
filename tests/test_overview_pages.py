"""The overview's filters, pages, groups, saved filters and files, as people meet them."""

import csv
import io
import json
import re
from datetime import timedelta
from html import unescape
from random import Random
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import items, saved_filters
from readiness.models import SavedFilter, Service, User
from readiness.rules.saved_filters import MOST_FILTERS
from readiness.selectors import fleet, overview
from readiness.templatetags.date_words import ago_words
from readiness.templatetags.overview_rows import says_the_same_until
from tests.deeds import ask, settle, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_service, make_team

# Nothing here asks the database anything that another one would answer otherwise.
pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def page(mia: User, client: Client) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def world(mia: User) -> None:
    """Five environments that differ in what is asked for."""
    now, today = timezone.now(), timezone.localdate()
    one = make_service(mia.teams.get(), "one", by=mia)
    prod = make_environment(one, "prod", by=mia, launch_on=today + timedelta(days=2))
    make_environment(one, "staging", kind="staging", by=mia, launch_on=today - timedelta(days=9))
    two = make_environment(
        make_service(mia.teams.get(), "two", by=mia), "prod", by=mia, launch_on=today + timedelta(days=20)
    )
    insurance = make_team("Insurance")
    make_environment(make_service(insurance, "three"), "dev", kind="dev", launch_on=today + timedelta(days=70))
    leo = make_member(insurance, "leo")
    done = make_environment(make_service(make_team("Data"), "done"), "dev", kind="dev")
    settle(done, make_member(done.service.team), now=now)
    item = item_of(prod, "store-false")
    items.assign(by=mia, item_id=item.pk, owner=mia, due_on=None, seen_version=item.version, now=now)
    tick(mia, item_of(two, "store-false"), now=now)
    ask(mia, item_of(two, "audit-log"), now=now)
    assert leo


def rows(response: Any) -> list[str]:
    return [str(row.environment) for group in response.context["overview"].groups for row in group.rows]


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def test_an_address_says_which_environments_are_shown(page: Client, world: None) -> None:
    everything = {"one/prod", "one/staging", "two/prod", "three/dev", "done/dev"}
    asked = {
        "": everything,
        "team=insurance&team=data": {"three/dev", "done/dev"},
        "window=week": {"one/prod"},
        "window=month": {"one/prod", "two/prod"},
        "window=later": {"three/dev"},
        "window=overdue": {"one/staging"},
        "window=past": {"one/staging"},
        "window=none": {"done/dev"},
        "entry=store-false": {"one/prod", "one/staging", "three/dev"},
        "entry=store-false&status=attested": {"two/prod", "done/dev"},
        "entry=store-false&owner=mia": {"one/prod"},
        "entry=no-such-entry": set(),
        "status=unsettled": everything - {"done/dev"},
        "status=attested&kind=prod": {"two/prod"},
        "owner=mia": {"one/prod"},
        "owner=-nobody": everything - {"done/dev"},
        "owner=stranger": set(),
        "verdict=ready": {"done/dev"},
        "waiting=1": {"two/prod"},
        "q=INSUR": {"three/dev"},
        "q=one/": set(),
        "window=soon&rows=few&group=moon&page=-1": everything,
    }
    found = {query: set(rows(page.get(f"/?{query}"))) for query in asked}
    assert found == asked
    assert "means nothing here: window soon, group moon, rows few." in words(
        page.get("/?window=soon&rows=few&group=moon")
    )


def test_where_filters_leave_none_the_page_says_which_to_drop(page: Client, world: None) -> None:
    found = page.get("/?kind=prod&team=insurance&q=three")
    assert [(one.name, one.count) for one in found.context["overview"].without] == [("kinds", 1)]
    assert "without “prod”: 1 environment" in words(found)
    assert 'href="/?team=insurance&amp;q=three"' in found.content.decode()
    assert "Show all 5" in words(found)


def test_figures_count_all_that_is_left_and_rows_come_a_page_at_a_time(
    page: Client, world: None, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "ROWS", 2)
    pages = [page.get(f"/?page={number}") for number in (1, 2, 3, 9)]
    assert [len(rows(one)) for one in pages] == [2, 2, 1, 1]
    assert rows(pages[2]) == rows(pages[3])
    whole = page.get("/?rows=all")
    assert [one for part in pages[:3] for one in rows(part)] == rows(whole)
    assert {tuple(one.context["overview"].figures.values()) for one in [*pages, whole]} == {(1, 0, 4, 0)}
    assert "1 to 2, page 1 of 3" in words(pages[0])
    by_team = page.get("/?group=team&rows=all").context["overview"].groups
    assert [(group.heading, group.count) for group in by_team] == [("Conversational", 3), ("Data", 1), ("Insurance", 1)]
    by_section = page.get("/?group=section&rows=all&kind=prod")
    sections = by_section.context["overview"].groups
    assert {group.count for group in sections} == {2}
    assert [group.heading for group in sections] == list(
        dict.fromkeys(entry.section.name for entry in whole.context["overview"].entries)
    )
    [store_false] = [entry for entry in whole.context["overview"].entries if entry.slug == "store-false"]
    [data] = [group for group in sections if group.section == store_false.section_id]
    each = data.items // 2
    assert (data.settled, data.items) == (1, 2 * each), "Of the section alone, in both environments."
    said = words(by_section)
    assert f"{data.heading} 1 of {2 * each} settled, 2 environments with something left" in said
    assert f"0% {each} left" in said, "A row counts the section, too."
    assert f"{store_false.title} {mia}" in said, "It says who has what left."
    lines = list(
        csv.DictReader(page.get("/overview.csv?group=section&kind=prod").content.decode("utf-8-sig").splitlines())
    )
    assert [(line["settled"], line["left"]) for line in lines if line["group"] == data.heading] == [
        ("0", str(each)),
        ("1", str(each - 1)),
    ]
    assert "Nothing is left to do" in words(page.get("/?group=section&verdict=ready"))


def test_a_strip_says_its_states_in_words_and_by_shape(page: Client, world: None) -> None:
    html = page.get("/?q=two").content.decode()
    [strip] = re.findall(r'<span class="strip" role="img" aria-label="([^"]*)">(.*?)</span></td>', html)
    assert strip[0] == "1 attested, 25 open"
    assert re.findall(r'<i class="(\w)', strip[1]).count("a") == 1
    [legends] = [json.loads(unescape(found)) for found in re.findall(r'data-strips="([^"]*)"', html)]
    assert [len(legend) for legend in legends] == [26]


def test_files_hold_what_is_shown_on_all_pages(
    page: Client, world: None, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "ROWS", 1)
    Service.objects.filter(slug="one").update(description="=cmd()")
    fleet.forget()
    shown = page.get("/?kind=prod&rows=all&group=team")
    answer = page.get("/overview.csv?kind=prod&group=team")
    table = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [f"{line['service']}/{line['environment']}" for line in table] == rows(shown)
    assert table[0]["description"] == "'=cmd()"
    assert (table[1]["store-false"], table[1]["audit-log"], table[1]["waits_for_reviewer"]) == ("attested", "open", "1")
    assert table[0]["at_launch"] == "not-ready"
    told = json.loads(page.get("/overview.json?kind=prod&group=team").content)
    assert [f"{line['service']}/{line['environment']}" for line in told["environments"]] == rows(shown)
    assert told["figures"] == {str(verdict): count for verdict, count in shown.context["overview"].figures.items()}
    assert told["address"] == "/?kind=prod&group=team"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["at"])
    assert len(told["environments"][0]["items_by_entry"]) == 26
    html = shown.content.decode()
    assert 'href="/overview.csv?kind=prod&amp;group=team&amp;rows=all"' in html


def test_a_person_saves_what_they_come_back_to_for_themselves(page: Client, world: None, mia: User) -> None:
    save = reverse("filter-save")
    answer = page.post(save, {"name": "Mine", "query": "kind=prod&verdict=fine&moon=1&team=insurance"})
    assert answer.headers["Location"] == "/?kind=prod&team=insurance"
    assert [str(one) for one in get_messages(answer.wsgi_request)] == ["Saved as “Mine”."]
    page.post(save, {"name": "Mine", "query": "kind=dev"})
    [saved] = SavedFilter.objects.all()
    assert (saved.by, saved.name, saved.query) == (mia, "Mine", "kind=dev")
    assert 'href="/?kind=dev"' in page.get("/").content.decode()

    other = saved_filters.save(by=make_person(), name="Theirs", query="", now=timezone.now())
    assert page.post(reverse("filter-delete", args=[other.pk])).status_code == 404
    assert "Theirs" not in words(page.get("/"))
    for name in ("", "   ", "x" * 61, "two\nlines\u2028", "qbt_live_4fK2mXw9Zr7TqLp0"):
        refused = page.post(save, {"name": name, "query": "kind=prod"})
        assert refused.status_code == 422, name
        assert refused.context["overview"].shown == 2
        assert 'aria-invalid="true"' in refused.content.decode()
        assert "4fK2mXw9Zr7TqLp0" not in refused.content.decode()
    key = {"name": "By key", "query": "kind=prod&q=qbt_live_4fK2mXw9Zr7TqLp0"}
    assert page.post(save, key).status_code == 422
    assert not SavedFilter.objects.filter(name="By key").exists()
    for number in range(MOST_FILTERS - 1):
        saved_filters.save(by=mia, name=f"More {number}", query="", now=timezone.now())
    assert page.post(save, {"name": "One too many", "query": ""}).status_code == 422
    assert page.post(save, {"name": "Mine", "query": "kind=staging"}).status_code == 302
    assert page.post(reverse("filter-delete", args=[saved.pk]), {"query": "q=one"}).headers["Location"] == "/?q=one"
    assert SavedFilter.objects.filter(by=mia).count() == MOST_FILTERS - 1


def test_when_a_probe_ended_is_kept_in_words_for_no_longer_than_they_are_true() -> None:
    dice, day = Random(1), timedelta(days=1).total_seconds()
    for passed in (
        -9,
        0,
        44,
        45,
        60,
        119,
        3599,
        3600,
        7199,
        day - 1,
        day,
        *(dice.uniform(0, 2 * day) for _ in range(99)),
    ):
        instant = NOW - timedelta(seconds=passed)
        until = says_the_same_until(instant, NOW)
        assert until >= NOW
        for share in (0.0, 0.5, 0.999):
            then = NOW + (until - NOW) * share
            if timezone.localdate(then) == timezone.localdate(NOW):
                assert ago_words(instant, then) == ago_words(instant, NOW), passed
