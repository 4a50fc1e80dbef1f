"""One thing done to several items: a record each, refused one by one, and nothing that was typed is lost."""

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import reverse

from readiness.actions import bulk
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, Evidence, Item, NotApplicable, User
from readiness.selectors.sections import seen_text
from tests.deeds import REASON, SUMMARY, everything, observe, on_sheet, refused, tick, version
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_service, make_team
from tests.test_pasted_keys import KEY

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
LINK = "https://docs.example.ca/a"


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), by=mia), "prod", by=mia)


def seen(*items: Item) -> dict[int, int]:
    return {item.pk: version(item) for item in items}


def titles(result: bulk.Done) -> list[str]:
    return [item.entry.slug for item, _ in result.left]


def test_a_shared_word_ticks_what_it_counts_for_and_names_the_rest(mia: User, prod: Environment) -> None:
    jonas = make_member(prod.service.team, "jonas")
    plain, wants_link, failing, crossed = (
        item_of(prod, slug) for slug in ("store-false", "alerts", "spend-cap", "side-effects-once")
    )
    elsewhere = item_of(make_environment(by=make_person(is_superuser=True)), "store-false")
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.FAIL)
    all_seen = seen(plain, wants_link, failing, crossed, elsewhere)
    tick(jonas, crossed)
    before = Event.objects.count()
    result = bulk.tick(by=mia, environment=prod, seen=all_seen, summary=SUMMARY, links=[], now=NOW)

    assert [item.entry.slug for item in result.done] == ["store-false"]
    assert {item.entry.slug: reasons[0] for item, reasons in result.left} == {
        "alerts": "A tick of it counts only with a link.",
        "spend-cap": "A probe sees it fail. Answer that at the item.",
        "side-effects-once": "jonas saved this item meanwhile. Look at it, then send again.",
    }
    assert [event.kind for event in Event.objects.filter(id__gt=before)] == ["item.ticked"]
    assert not Evidence.objects.filter(item=elsewhere).exists()
    again = bulk.tick(by=mia, environment=prod, seen=seen(wants_link, crossed), summary=SUMMARY, links=[LINK], now=NOW)
    assert (len(again.done), again.left) == (2, [])


def test_owner_due_date_and_requests_to_leave_out_are_one_record_an_item(mia: User, prod: Environment) -> None:
    first, second = item_of(prod, "store-false"), item_of(prod, "separate-keys")
    bulk.assign(by=mia, environment=prod, seen=seen(first, second), owner=mia, due_on=None, now=NOW)
    bulk.assign(by=mia, environment=prod, seen=seen(first), owner=None, due_on=date(2026, 4, 1), now=NOW)
    rows = Item.objects.filter(pk__in=[first.pk, second.pk]).order_by("entry__slug")
    assert [(row.owner, row.due_on) for row in rows] == [(mia, None), (mia, date(2026, 4, 1))]
    with refused("not a member"):
        bulk.assign(by=mia, environment=prod, seen=seen(first), owner=make_person(), due_on=None, now=NOW)
    with refused("Choose an owner"):
        bulk.assign(by=mia, environment=prod, seen=seen(first), owner=None, due_on=None, now=NOW)

    result = bulk.leave_out(by=mia, environment=prod, seen=seen(first, second), reason=REASON, now=NOW)
    assert len(result.done) == 2
    assert NotApplicable.objects.values("batch").distinct().count() == 1, "A reviewer may answer them together."
    twice = bulk.leave_out(by=mia, environment=prod, seen=seen(first), reason=REASON, now=NOW)
    assert (twice.done, titles(twice)) == ([], ["store-false"])
    with refused("Only members"):
        bulk.tick(by=make_person(), environment=prod, seen=seen(first), summary=SUMMARY, links=[], now=NOW)
    with refused("at least one"):
        bulk.tick(by=mia, environment=prod, seen={}, summary=SUMMARY, links=[], now=NOW)


def test_the_page_works_without_scripts_and_keeps_what_was_typed_for_what_was_refused(
    client: Client, mia: User, prod: Environment
) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("several", args=[prod.service.slug, prod.name])
    html = client.get(address, query_params={"item": ["alerts", "store-false"], "act": "tick"}).content.decode()
    assert html.count('type="checkbox"') == 26
    assert html.count("checked") == 2
    assert html.rindex("checked") < html.index("Other items, to add from"), "What is selected comes first."
    assert html.count("needed for some of these") == 1, "Alerts want one."
    other = client.get(address, query_params={"item": ["store-false"]}).content.decode()
    assert "needed for some" not in other
    form = {
        "seen": seen_text({item.pk: item.version for item in on_sheet(prod)}),
        "item": ["alerts", "store-false"],
        "act": "tick",
        "summary": SUMMARY,
        "links": "",
    }
    answer = client.post(address, form)
    html = answer.content.decode()
    assert (answer.status_code, "Ticked 1 item." in html, SUMMARY in html) == (422, True, True)
    assert "A tick of it counts only with a link." in html
    assert html.count("checked") == 1
    fresh = seen_text({item.pk: item.version for item in on_sheet(prod)})
    done = client.post(address, {**form, "seen": fresh, "item": ["alerts"], "links": LINK})
    assert (done.status_code, done.headers["Location"]) == (302, prod.get_absolute_url())

    before = everything()
    for wrong in ({"act": "burn"}, {"act": ""}, {"seen": "x"}, {"item": []}, {"summary": ""}, {"links": "ftp://x"}):
        assert client.post(address, {**form, **wrong}).status_code == 422
    assert everything() == before


def test_enter_beside_the_buttons_does_only_what_it_can_mean(client: Client, mia: User, prod: Environment) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("several", args=[prod.service.slug, prod.name])
    seen_now = seen_text({item.pk: item.version for item in on_sheet(prod)})
    form = {"seen": seen_now, "item": ["alerts", "store-false"], "summary": "", "links": "", "reason": "", "owner": ""}
    before = everything()
    for written, opened in (
        ({"summary": f"{SUMMARY} {KEY}"}, "tick"),
        ({"reason": f"{REASON} {KEY}", "due_on": "2026-09-01"}, "assign"),
        ({"reason": REASON}, "leave-out"),
        ({}, "tick"),
    ):
        answer = client.post(address, {**form, **written})
        html = answer.content.decode()
        assert (answer.status_code, html.count("checked")) == (422, 2)
        assert "Nothing is done yet. Press the button of what you want to do with them." in html
        assert re.search(rf'id="several-{opened}"\s+open', html)
        assert KEY not in html
        assert all(text.removesuffix(KEY) in html for text in written.values())
    assert everything() == before

    answer = client.post(address, {**form, "due_on": "2026-09-01"})
    assert (answer.status_code, answer.headers["Location"]) == (302, prod.get_absolute_url())
    assert {item_of(prod, slug).due_on for slug in ("alerts", "store-false")} == {date(2026, 9, 1)}
