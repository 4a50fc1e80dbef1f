"""Every address as everybody: who may read, who may change, and that reading writes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from readiness.actions import meetings, requests
from readiness.actions.calendar_feeds import make_feed
from readiness.enums.words import Judgement
from readiness.models import (
    ApiToken,
    CalendarFeed,
    Comment,
    Decision,
    Disabling,
    Environment,
    Event,
    Item,
    NotApplicable,
    Run,
    User,
    Waiver,
)
from readiness.selectors.sections import items_in, seen_text
from tests.checklist_deeds import landing_form, next_checklist
from tests.checklist_texts import checklist, written
from tests.deeds import REASON, SUMMARY, ask, decide_on, everything, observe, on_sheet
from tests.factories import (
    PASSWORD,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.importing import import_form
from tests.programs import make_token

# Two hundred walks over every address: on the database of a deployment, since nothing here asks it anything unusual.
pytestmark = [pytest.mark.django_db, pytest.mark.either_database]

ROLES = ("stranger", "reader", "auditor", "other", "member", "reviewer", "admin")
TO_SIGN_IN = "→"
ARCHIVING = ("archive", "restore")
NEW_PASSWORD = "correct horse battery"
READ = (TO_SIGN_IN, 200, 200, 200, 200, 200, 200)
TEAM = (TO_SIGN_IN, 403, 403, 403, 200, 403, 200)
DOES = (TO_SIGN_IN, 403, 403, 403, 302, 403, 302)
ADMINS = (TO_SIGN_IN, 403, 403, 403, 403, 403, 302)
REVIEWS = (TO_SIGN_IN, 403, 403, 403, 403, 302, 403)
NOT_SO = (TO_SIGN_IN, 405, 405, 405, 405, 405, 405)
MEETING_ACTS = ("-live", "-open", "-line", "-chair", "-here", "-people", "-note", "-decide")
OPEN_TO_ALL = (200, 200, 200, 200, 200, 200, 200)

# What GET and POST answer to each role in ROLES; POST sends a form that is right where the person may send it.
TABLE: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "healthz": (OPEN_TO_ALL, (405,) * 7),
    "readyz": ((200,) * 7, (405,) * 7),
    "overview": (READ, NOT_SO),
    "overview-export": (READ, NOT_SO),
    "filter-save": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "filter-delete": (NOT_SO, (TO_SIGN_IN, 404, 404, 404, 404, 404, 404)),  # Nobody's: each deletes their own.
    "heat-map": (READ, NOT_SO),
    "first-steps-put-away": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "team": (READ, NOT_SO),
    "live": ((401, 204, 204, 204, 204, 204, 204), (405,) * 7),  # The test's client is no ASGI: tests/test_live.py.
    "sign-in": ((200, 302, 302, 302, 302, 302, 302), (200, 302, 302, 302, 302, 302, 302)),
    "sign-in-link": ((403, 302, 302, 302, 302, 302, 302), (403,) * 7),
    "sign-out": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "password": (READ, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "admin-door": ((TO_SIGN_IN, 403, 403, 403, 403, 403, 302), (405,) * 7),
    "admin-password": ((TO_SIGN_IN, 302, 302, 302, 302, 302, 302), (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "ledger": (READ, NOT_SO),
    "ledger-export": ((TO_SIGN_IN, 403, 200, 403, 403, 403, 200), NOT_SO),
    "my-items": (READ, NOT_SO),
    "answer": (NOT_SO, REVIEWS),
    "search": (READ, NOT_SO),
    "waivers": (READ, NOT_SO),
    "leave-out": (NOT_SO, DOES),
    "item-take": (NOT_SO, (TO_SIGN_IN, 403, 403, 403, 302, 403, 422)),
    "decide-batch": (NOT_SO, REVIEWS),
    "launches": (READ, NOT_SO),
    "calendar": (READ, NOT_SO),
    "feeds": (READ, NOT_SO),
    "feed-make": (READ, (TO_SIGN_IN, 201, 201, 201, 201, 201, 201)),
    "feed-revoke": ((TO_SIGN_IN, 403, 403, 403, 200, 403, 403), (TO_SIGN_IN, 403, 403, 403, 302, 403, 403)),
    "calendar-file": (OPEN_TO_ALL, (405,) * 7),  # Its token is in the address: tests/test_calendar_feeds.py.
    "review-add": ((TO_SIGN_IN, 403, 403, 403, 403, 200, 403), REVIEWS),
    "review": (READ, NOT_SO),
    "review-change": ((TO_SIGN_IN, 403, 403, 403, 403, 200, 403), REVIEWS),
    "review-minutes": (NOT_SO, REVIEWS),
    "review-close": (NOT_SO, REVIEWS),
    "launch-decide": (READ, REVIEWS),
    "meeting": (READ, NOT_SO),
    "meeting-live": (READ, NOT_SO),
    "meeting-open": (NOT_SO, REVIEWS),
    "meeting-line": (NOT_SO, REVIEWS),  # The reviewer here has the chair; tests/test_actions_meetings.py has others.
    "meeting-chair": (NOT_SO, (TO_SIGN_IN, 403, 403, 403, 403, 403, 403)),  # Who has it cannot take it.
    "meeting-here": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "meeting-people": (NOT_SO, REVIEWS),
    "meeting-note": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "meeting-decide": (NOT_SO, REVIEWS),
    "meeting-tick": (NOT_SO, DOES),
    "meeting-waiver": (NOT_SO, DOES),
    "meeting-answer": (NOT_SO, REVIEWS),
    "meeting-run": (NOT_SO, DOES),
    "decision": (READ, NOT_SO),
    "decision-pack": (READ, NOT_SO),
    "minutes": (READ, NOT_SO),
    "minutes-file": (READ, NOT_SO),
    "decision-pack-file": (READ, NOT_SO),
    "tokens": (READ, NOT_SO),
    "token-make": ((TO_SIGN_IN, 403, 403, 403, 403, 403, 200), (TO_SIGN_IN, 403, 403, 403, 403, 403, 201)),
    "token-revoke": ((TO_SIGN_IN, 403, 403, 403, 403, 403, 200), (TO_SIGN_IN, 403, 403, 403, 403, 403, 302)),
    "api-builds": ((405,) * 7, (401,) * 7),  # A session is no token: tests/test_api_builds.py shows tokens.
    "api-document": ((401, 200, 200, 200, 200, 200, 200), (405,) * 7),
    "service-add": ((TO_SIGN_IN, 403, 403, 200, 200, 403, 200), (TO_SIGN_IN, 403, 403, 422, 302, 403, 302)),
    "import": ((TO_SIGN_IN, 403, 403, 200, 200, 403, 200), (TO_SIGN_IN, 403, 403, 409, 302, 403, 302)),
    "import-template": (READ, NOT_SO),
    "archived": (READ, NOT_SO),
    "service": (READ, NOT_SO),
    "service-change": (TEAM, DOES),
    "service-transfer": (TEAM, DOES),
    "environment-add": (TEAM, DOES),
    "sheet": (READ, NOT_SO),
    "environment-change": (TEAM, DOES),
    "service-archive": (NOT_SO, DOES),
    "service-restore": (NOT_SO, DOES),
    "environment-archive": (NOT_SO, DOES),
    "environment-restore": (NOT_SO, DOES),
    "checklists": (READ, NOT_SO),
    "checklist": (READ, NOT_SO),
    "checklist-version": (READ, NOT_SO),
    "checklist-import": ((TO_SIGN_IN, 403, 403, 403, 403, 403, 200), ADMINS),
    "checklist-change": ((TO_SIGN_IN, 403, 403, 403, 403, 403, 200), ADMINS),
    "probes": (READ, NOT_SO),
    "probe": (READ, NOT_SO),
    "probe-disable": (NOT_SO, ADMINS),
    "probe-enable": (NOT_SO, ADMINS),
    "keys": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "language": ((405,) * 7, (302,) * 7),
    "several": (TEAM, DOES),
    "sheet-seen": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "item-comment": (NOT_SO, (TO_SIGN_IN, 302, 302, 302, 302, 302, 302)),
    "item-comment-remove": (NOT_SO, (TO_SIGN_IN, 403, 403, 403, 302, 403, 403)),
    "item-retire": (NOT_SO, REVIEWS),
    "run-all": (NOT_SO, DOES),
    "sheet-at": (READ, NOT_SO),
    "sheet-live": ((TO_SIGN_IN, 200, 200, 200, 200, 200, 200), NOT_SO),
    "item": (READ, NOT_SO),
    "item-tick": (NOT_SO, DOES),
    "item-take-back": (NOT_SO, DOES),
    "item-assign": (NOT_SO, DOES),
    "ask-waiver": (NOT_SO, DOES),
    "ask-not-applicable": (NOT_SO, DOES),
    "decide": (NOT_SO, (TO_SIGN_IN, 403, 403, 403, 403, 302, 403)),
    "end-request": (NOT_SO, (TO_SIGN_IN, 403, 403, 403, 302, 302, 302)),
    "item-run": (NOT_SO, DOES),
    "run": (READ, NOT_SO),
}


def named(patterns: Any = None) -> Iterator[str]:
    """Every name in the URL configuration, but for the admin's own."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            yield from named(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern.name or f"nameless: {pattern.pattern}"


def test_every_address_has_an_answer_for_everybody_in_the_table() -> None:
    assert sorted(named()) == sorted(TABLE)


@dataclass
class Place:
    """An environment with an item that a probe looked at, and everybody."""

    prod: Environment
    item: Item
    run: Run
    decision: Decision
    people: dict[str, User]
    feed: CalendarFeed
    feed_text: str

    def address(self, name: str) -> str:
        service, environment = self.prod.service.slug, self.prod.name
        parts = {
            "overview-export": ["csv"],
            "filter-delete": [1],
            "checklist": ["bastion"],
            "checklist-version": ["bastion", "1"],
            "checklist-change": ["bastion"],
            "service": [service],
            "team": [self.prod.service.team.slug],
            "service-change": [service],
            "service-transfer": [service],
            "environment-add": [service],
            "sheet": [service, environment],
            "environment-change": [service, environment],
            "service-archive": [service],
            "service-restore": [service],
            "environment-archive": [service, environment],
            "environment-restore": [service, environment],
            "probe": ["spend-cap"],
            "probe-disable": ["spend-cap"],
            "probe-enable": [self.disabled()],
            "run-all": [service, environment],
            "sheet-live": [service, environment],
            "sheet-at": [service, environment],
            "sheet-seen": [service, environment],
            "several": [service, environment],
            "leave-out": [service, environment, self.item.entry.section_id],
            "run": [service, environment, self.item.entry.slug, self.run.pk],
            "item-comment-remove": [service, environment, self.item.entry.slug, self.commented()],
            "feed-revoke": [self.feed.pk],
            "calendar-file": [self.feed_text],
            "token-revoke": [ApiToken.objects.values_list("pk", flat=True).get()],
            "launch-decide": [self.decision.review_id, service, environment],
            "decision": [self.decision.pk],
            "decision-pack": [self.decision.pk],
            "minutes": [self.decision.review_id],
            "minutes-file": [self.decision.review_id, "json"],
            "decision-pack-file": [self.decision.pk, "json"],
            **{f"meeting{more}": [self.decision.review_id] for more in ("", *MEETING_ACTS)},
            **{
                f"meeting-{act}": [self.decision.review_id, service, environment, self.item.entry.slug]
                for act in ("tick", "waiver", "answer", "run")
            },
            **{f"review{more}": [self.decision.review_id] for more in ("", "-change", "-minutes", "-close")},
        }
        alone = {"healthz", "readyz", "overview", "sign-in", "sign-in-link", "sign-out", "service-add"}
        alone |= {"password", "admin-door", "admin-password", "heat-map", "first-steps-put-away"}
        alone |= {"filter-save"}
        alone |= {"tokens", "token-make", "api-builds", "api-document"}
        alone |= {"ledger", "ledger-export"}
        alone |= {"keys", "language"}
        alone |= {"my-items", "answer", "waivers", "search", "import", "import-template", "archived"}
        alone |= {"live"}
        alone |= {"launches", "review-add", "calendar", "feeds", "feed-make"}
        alone |= {"probes", "checklists", "checklist-import"}
        return reverse(
            name, args=[] if name in alone else parts.get(name, [service, environment, self.item.entry.slug])
        )

    def client(self, role: str) -> Client:
        client = Client()
        if role in self.people:
            client.force_login(self.people[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    def form(self, name: str) -> dict[str, Any]:
        """What a browser would send, right in every field."""
        self.item.refresh_from_db()
        self.prod.refresh_from_db()
        seen = {"seen_version": self.item.version}
        team = self.prod.service.team_id
        today = timezone.localdate()
        looked_up: dict[str, Callable[[], dict[str, Any]]] = {
            "checklist-import": lambda: landing_form(written(checklist()), seen=0),
            "checklist-change": lambda: landing_form(next_checklist("bastion"), seen=1),
            "import": lambda: import_form(
                self.people["member"], f"service,team\nimported,{self.prod.service.team.slug}"
            ),
            "several": lambda: {"act": "tick", "item": "store-false", "summary": SUMMARY, "seen": self.versions()},
            "decide": lambda: {**seen, "request": f"waiver-{self.waiting()}", "answer": "grant", "note": ""},
            "answer": lambda: {"requests": f"waiver-{self.waiting()}", "answer": "grant", "note": ""},
            "meeting-answer": lambda: {**seen, "request": f"waiver-{self.waiting()}", "answer": "grant"},
            "decide-batch": lambda: {**seen, "request": ",".join(self.batch()), "answer": "grant", "note": ""},
            "leave-out": lambda: {
                "seen": seen_text({one.pk: one.version for one in self.section()}),
                "reason": REASON,
            },
            "end-request": lambda: {**seen, "request": f"waiver-{self.waiting()}", "reason": REASON},
        }
        forms: dict[str, dict[str, Any]] = {
            "sign-in": {"username": "nobody", "password": "wrong"},
            "sign-in-link": {"token": "spent"},
            "filter-save": {"name": "Mine", "query": "kind=prod"},
            "password": {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD},
            "service-add": {"team": team, "slug": "another", "description": ""},
            "service-change": {"description": "Says more.", "seen_version": self.prod.service.version},
            "service-transfer": {
                "team": self.people["other"].teams.get().pk,
                "reason": REASON,
                "seen_version": self.prod.service.version,
            },
            **{f"{what}-{act}": {"reason": REASON} for what in ("service", "environment") for act in ARCHIVING},
            "probe-disable": {"environment": self.prod.pk, "reason": REASON},
            "item-retire": {**seen, "reason": REASON},
            "environment-add": {"name": "another", "kind": "dev"},
            "environment-change": {"name": "prod", "kind": "prod", "build": "b2", "seen_version": self.prod.version},
            "review-add": self.review(),
            "review-change": {**self.review(), "seen_version": 1},
            "review-minutes": {"minutes": "All were there.", "seen_version": 1},
            "launch-decide": {"kind": "no-go", "note": "", "dissents": 0, "seen_decision": self.decision.pk},
            "token-make": {
                "name": "CI checkouts",
                "team": team,
                "scopes": "builds:write",
                "last_day": today.isoformat(),
            },
            "item-tick": {**seen, "summary": SUMMARY, "links": "https://docs.example.ca"},
            "item-take-back": {**seen, "summary": SUMMARY},
            "item-comment": {"text": SUMMARY},
            "keys": {"keys": "off", "next": "/ledger/"},
            "language": {"language": "en-ca", "next": "/ledger/"},
            "sheet-seen": {"seen": 1},
            "item-assign": {**seen, "owner": self.people["member"].pk, "due_on": "2030-01-01"},
            "ask-waiver": {**seen, "stance": "accept-risk", "reason": REASON, "until": today.isoformat()},
            "ask-not-applicable": {**seen, "reason": REASON},
            "meeting-line": {"line": self.prod.pk},
            "meeting-chair": {"chair": self.people["reviewer"].pk},
            "meeting-here": {"do": "come"},
            "meeting-people": {"person": self.people["member"].pk, "do": "in"},
            "meeting-note": {"text": SUMMARY, "line": self.prod.pk},
            "meeting-decide": {
                "kind": "no-go",
                "line": self.prod.pk,
                "dissents": 1,
                "seen_decision": self.decision.pk,
            },
            "meeting-tick": {**seen, "summary": SUMMARY, "links": "https://docs.example.ca"},
            "meeting-waiver": {**seen, "stance": "accept-risk", "reason": REASON, "until": today.isoformat()},
            "item-take": seen,
        }
        return looked_up[name]() if name in looked_up else forms.get(name, {"press": "it"})

    def review(self) -> dict[str, Any]:
        chair = self.people["reviewer"].pk
        return {"title": "Launches", "starts_at": "2030-01-01T10:00", "chair": chair, "agenda": [self.prod.pk, ""]}

    def disabled(self) -> int:
        return Disabling.objects.values_list("pk", flat=True).first() or 0

    def commented(self) -> int:
        return Comment.objects.values_list("pk", flat=True).first() or 0

    def waiting(self) -> int:
        found = Waiver.objects.filter(item=self.item, decided_at=None, ended_at=None).first()
        return found.pk if found else 0

    def versions(self) -> str:
        return seen_text({one.pk: one.version for one in on_sheet(self.prod)})

    def section(self) -> list[Item]:
        return items_in(self.prod, self.item.entry.section, timezone.now())

    def batch(self) -> list[str]:
        return [f"not-applicable-{pk}" for pk in NotApplicable.objects.exclude(batch="").values_list("pk", flat=True)]

    def prepare(self, name: str) -> None:
        """Bring about what a form is about: a tick to take back, a request to answer."""
        if name == "item-take-back":
            self.client("member").post(self.address("item-tick"), self.form("item-tick"))
        if name.endswith("-restore"):
            address = self.address(name.replace("-restore", "-archive"))
            self.client("member").post(address, {"reason": REASON})
        if name == "item-comment-remove":
            self.client("member").post(self.address("item-comment"), {"text": SUMMARY})
        if name == "item-retire":
            observe(self.prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.FAIL)
        if name in ("item-retire", "probe-enable"):
            self.client("admin").post(self.address("probe-disable"), self.form("probe-disable"))
        if name.startswith("meeting") and name != "meeting-open":
            review = self.decision.review_id
            meetings.open_meeting(by=self.people["reviewer"], review_id=review, order=[], now=timezone.now())
        if name in ("decide", "end-request", "answer", "meeting-answer"):
            ask(self.people["member"], self.item, now=timezone.now())
        if name == "decide-batch":
            self.client("member").post(self.address("leave-out"), self.form("leave-out"))


@pytest.fixture
def place() -> Place:
    team = make_team("Conversational")
    member = make_member(team, "mia")
    prod = make_environment(make_service(team, by=member), "prod", by=member, now=timezone.now())
    reviewer = make_reviewer()
    make_token()
    feed, feed_text = make_feed(by=member, team=team, replaces="", language="en-ca", now=timezone.now())
    return Place(
        feed=feed,
        feed_text=feed_text,
        prod=prod,
        decision=decide_on(prod, reviewer, now=timezone.now()),
        item=item_of(prod, "spend-cap"),
        run=observe(prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.INCONCLUSIVE),
        people={
            "reader": make_person(),
            "auditor": make_person(is_auditor=True),
            "other": make_member(make_team()),
            "member": member,
            "reviewer": reviewer,
            "admin": make_admin(),
        },
    )


def answer(response: Any) -> Any:
    """The status code, or an arrow where a stranger is sent to sign in."""
    if response.status_code == 302 and response.headers["Location"].startswith(reverse("sign-in") + "?next="):
        return TO_SIGN_IN
    return response.status_code


def stored() -> list[list[dict[str, Any]]]:
    """Every column of what a page could write to by being read."""
    return [list(kind.objects.order_by("pk").values()) for kind in (User, Run, Item, Environment, Event)]


@pytest.mark.parametrize("name", sorted(TABLE))
def test_each_role_and_a_token_get_what_the_table_says_and_reading_writes_nothing(place: Place, name: str) -> None:
    """All that is asked of one address, since everybody and everything has to be there for each of it."""
    address, (expected_get, expected_post) = place.address(name), TABLE[name]
    clients = {role: place.client(role) for role in ROLES}
    before, rows, sessions = everything(), stored(), Session.objects.count()
    got = [answer(client.get(address)) for client in clients.values()]
    for client in clients.values():
        client.head(address)
        for more in ({"headers": {"HX-Request": "true"}}, {"query_params": {"sesame": "x", "since": "1"}}):
            client.get(address, **more)
    assert (everything(), stored(), Session.objects.count()) == (before, rows, sessions)
    if name == "readyz":
        return  # No scheduler has swept here.
    assert tuple(got) == expected_get
    for role, expected in zip(ROLES, expected_post, strict=True):
        with transaction.atomic():
            place.prepare(name)
            before = everything()
            response = clients[role].post(place.address(name), place.form(name))
            assert (role, answer(response)) == (role, expected)
            if expected not in (201, 302):
                assert everything() == before, "Whoever is turned away has written nothing."
            transaction.set_rollback(True)
    by_token(place, name)


def by_token(place: Place, name: str) -> None:
    """A token opens the API and nothing else."""
    text = make_token(by=place.people["admin"])[1]
    ApiToken.objects.exclude(prefix=text.split("_")[1]).delete()
    program = Client(headers={"Authorization": f"Bearer {text}"})
    before = everything()
    opened = {"api-document": (200, 405), "api-builds": (405, 415)}  # 415: it was let in, and sent a form.
    expected = opened.get(name, (TABLE[name][0][0], TABLE[name][1][0]))
    assert answer(program.get(place.address(name))) == expected[0]
    assert answer(program.post(place.address(name), place.form(name))) == expected[1]
    assert everything() == before


def test_the_admin_is_for_admins(place: Place) -> None:
    for address in (reverse("admin:index"), reverse("admin:readiness_user_changelist")):
        codes = [place.client(role).get(address).status_code for role in ROLES]
        assert codes == [302, 302, 302, 302, 302, 302, 200]


def test_nobody_is_deleted_by_an_admin(place: Place) -> None:
    address = reverse("admin:readiness_user_delete", args=[place.people["member"].pk])
    assert place.client("admin").post(address, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=place.people["member"].pk).exists()


def test_somebody_who_left_is_signed_out_at_once(place: Place) -> None:
    client = place.client("member")
    User.objects.filter(pk=place.people["member"].pk).update(is_active=False)

    assert answer(client.get(reverse("overview"))) == TO_SIGN_IN
    assert answer(client.post(place.address("item-tick"), place.form("item-tick"))) == TO_SIGN_IN


def test_a_form_without_its_token_is_refused(place: Place) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(place.people["member"], backend="django.contrib.auth.backends.ModelBackend")
    before = everything()
    assert client.post(place.address("item-tick"), place.form("item-tick")).status_code == 403
    assert everything() == before


def test_the_refusal_that_the_page_shows_is_the_one_that_the_action_gives(place: Place) -> None:
    address = place.address("item")
    shown = place.client("reader").get(address).content.decode()
    refused = place.client("reader").post(place.address("item-tick"), place.form("item-tick")).content.decode()
    sentence = "Only members of Conversational change this."
    assert sentence in shown
    assert sentence in refused


def test_a_request_that_does_not_belong_to_the_item_is_not_found(place: Place) -> None:
    other = item_of(place.prod, "rotation-runbook")
    waiver = ask(place.people["member"], other, now=timezone.now())
    for key in (f"waiver-{waiver.pk}", "waiver-0", "waiver-x", "other-1", "", f"waiver-{'9' * 5000}"):
        form = {**place.form("decide"), "request": key}
        response = place.client("reviewer").post(place.address("decide"), form)
        assert response.status_code == (422 if key == "" else 404)
    waiver.refresh_from_db()
    assert waiver.waiting
    requests.end(by=place.people["member"], request=waiver, reason=REASON, now=timezone.now())


@pytest.mark.parametrize(
    "address",
    [
        "/services/none/",
        "/services/none/prod/",
        "/services/{service}/none/",
        "/services/{service}/prod/items/none/",
        "/services/{service}/prod/items/spend-cap/runs/999999999999999999999999/",
        "/services/{service}/prod/items/spend-cap/runs/0/",
        "/services/{service}/edit/edit/",
        "/nowhere/",
    ],
)
def test_what_is_not_there_is_not_found(place: Place, address: str) -> None:
    response = place.client("member").get(address.format(service=place.prod.service.slug))
    assert response.status_code == 404


@pytest.mark.parametrize("since", ["", "x", "-1", "٣", "9" * 30, "9" * 6000])
def test_a_sheet_that_asks_for_news_since_nonsense_gets_an_answer(place: Place, since: str) -> None:
    response = place.client("member").get(place.address("sheet-live"), {"since": since, "runs": "x"})
    assert response.status_code == 200
