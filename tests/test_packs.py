"""The pack of a decision: what it says in four ways, and that it stays what it was."""

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from django.conf import LazySettings
from django.db.models import F, Value
from django.db.models.functions import Replace
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import reviews
from readiness.actions.decisions import NewCondition, NewDissent
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Checklist, Decision, Entry, Environment, User
from readiness.papers import typesetting
from tests.deeds import REASON, after, ask, decide, decide_on, end, observe, plan_review, settle, take_back, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_reviewer
from tests.papers import fonts_in, links_in, opened, roles_in, run_together, said_in
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

GO, CONDITIONAL, NO_GO = DecisionKind.GO, DecisionKind.GO_WITH_CONDITIONS, DecisionKind.NO_GO
LINK = "https://docs.example.ca/a"


class Reader:
    """Somebody signed in who reads packs."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.force_login(make_person("rio"), backend="django.contrib.auth.backends.ModelBackend")

    def page(self, decision: Decision, lang: str = "en") -> str:
        return words(self.client.get(reverse("decision-pack", args=[decision.pk]), {"lang": lang}))

    def file(self, decision: Decision, form: str, **query: str) -> bytes:
        answer = self.client.get(reverse("decision-pack-file", args=[decision.pk, form]), query)
        assert answer.status_code == 200
        return answer.content

    def everything(self, decision: Decision) -> tuple[bytes, bytes]:
        return self.file(decision, "pdf"), self.file(decision, "json")


@pytest.fixture
def reader(client: Client) -> Reader:
    return Reader(client)


def conditional(mia: User, ada: User, dev: Environment) -> Decision:
    """A go with a condition on one item and a waiver on another, which one person does not agree with."""
    settle(dev, mia, but=["spend-cap", "store-false", "logs-redacted"])
    observe(dev, "spend-cap", now=after(minutes=1), cap_matches=Judgement.PASS)
    decide(ada, ask(mia, item_of(dev, "store-false")), note="Until the audit.", now=after(minutes=1))
    condition = NewCondition(
        item_id=item_of(dev, "logs-redacted").pk,
        reason="The log store is cleaned first.",
        owner=mia,
        until=timezone.localdate(after(days=9)),
    )
    return decide_on(
        dev,
        ada,
        CONDITIONAL,
        review=plan_review(dev, by=ada, title="March launches"),
        conditions=[condition],
        dissents=[NewDissent(by=make_reviewer("sam"), reason="The stream was held twice.")],
        note="Look again on Friday.",
        now=after(minutes=2),
    )


def test_a_pack_says_all_of_a_decision_in_four_ways_and_nothing_of_what_came_after(reader: Reader) -> None:
    dev = make_environment(name="dev", kind="dev", build="b1")
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    decision = conditional(mia, ada, dev)
    pdf, text = reader.everything(decision)

    titles = [entry.title for entry in Entry.objects.all()]
    assert len(titles) == 26
    told = [
        *titles,
        f"Go with conditions for {dev.service.slug} in dev",
        "Decided by ada on 2 March 2026 at",
        "March launches",
        "The sheet was: Not ready",
        "Look again on Friday.",
        "The log store is cleaned first.",
        "mia owns it, until the end of 11 March 2026",
        "sam did not agree",
        "The stream was held twice.",
        REASON,
        "ada: Until the audit.",
        "Pass: mia, 2 March 2026",
        "Pass: probe spend-cap, run",
        "not asked of dev",
        "not asked here",
        decision.hash,
        "jq -j .snapshot pack.json | sha256sum",
    ]
    shown = {"page": run_together(reader.page(decision)), "pdf": run_together(said_in(pdf))}
    lacking = [(where, one) for where, said in shown.items() for one in told if run_together(one) not in said]
    assert lacking == []

    found = opened(pdf)
    root = found.trailer["/Root"]
    assert found.metadata is not None
    assert found.metadata.title == f"Go with conditions for {dev.service.slug} in dev"
    assert (root["/Lang"], bool(root["/MarkInfo"]["/Marked"])) == ("en-CA", True)
    assert roles_in(pdf) >= {"Document", "H1", "H2", "H3", "H4", "Table", "TH", "TD", "Link"}
    assert all(fonts_in(pdf).values())
    last = len(found.pages)
    assert f"{last} of {last}" in found.pages[-1].extract_text()
    assert links_in(pdf) >= {LINK, f"http://testserver{decision.get_absolute_url()}"}

    sheet = json.loads(text)
    assert sheet["hash"] == decision.hash == sha256(sheet["snapshot"].encode()).hexdigest()
    assert json.loads(sheet["snapshot"]) == sheet["sheet"]
    assert (sheet["kind"], sheet["by"], sheet["intact"]) == ("go-with-conditions", "ada", True)
    assert [one["owner"] for one in sheet["conditions"]] == ["mia"]
    assert sheet["dissents"] == [{"by": "sam", "reason": "The stream was held twice."}]
    assert len(sheet["sheet"]["items"]) + len(sheet["sheet"]["absent"]) == 26

    User.objects.filter(username="mia").update(first_name="Renamed", last_name="Since")
    reviews.change(
        by=ada,
        review_id=decision.review_id,
        title="Another title",
        starts_at=NOW,
        chair=ada,
        environments=[dev],
        attendees=[],
        seen_version=1,
        now=after(hours=1),
    )
    end(ada, item_of(dev, "store-false").waivers.get(), now=after(hours=1))
    take_back(mia, item_of(dev, "key-in-secrets-manager"), now=after(hours=1))
    tick(mia, item_of(dev, "logs-redacted"), now=after(hours=1))
    Entry.objects.update(title=Replace(F("title"), Value("e"), Value("3")))
    decide_on(dev, ada, NO_GO, now=after(hours=2))
    assert reader.everything(decision) == (pdf, text)


def a_go(mia: User, ada: User, dev: Environment) -> Decision:
    settle(dev, mia)
    return decide_on(dev, ada, GO, now=after(minutes=1))


def a_go_that_no_longer_covers(mia: User, ada: User, dev: Environment) -> Decision:
    decision = a_go(mia, ada, dev)
    take_back(mia, item_of(dev, "logs-redacted"), now=after(minutes=2))
    return decision


def a_no_go(mia: User, ada: User, dev: Environment) -> Decision:
    return decide_on(dev, ada, NO_GO, now=after(minutes=1))


@pytest.mark.parametrize(
    ("made", "title", "verdict"),
    [
        (a_go, "Go for", "The sheet was: Ready"),
        (a_go_that_no_longer_covers, "Go for", "The sheet was: Ready"),
        (a_no_go, "No-go for", "The sheet was: Not ready"),
    ],
)
def test_a_pack_of_every_kind_of_decision(
    reader: Reader, made: Callable[[User, User, Environment], Decision], title: str, verdict: str
) -> None:
    dev = make_environment(name="dev", kind="dev")
    decision = made(make_member(dev.service.team, "mia"), make_reviewer("ada"), dev)
    for said in (reader.page(decision), said_in(reader.file(decision, "pdf"))):
        assert f"{title} {dev.service.slug} in dev" in said
        assert verdict in said
        assert "Conditions" not in said


def test_a_pack_of_a_snapshot_that_was_changed_says_so_and_nothing_else(reader: Reader) -> None:
    dev = make_environment(name="dev", kind="dev")
    decision = a_no_go(make_member(dev.service.team, "mia"), make_reviewer("ada"), dev)
    title = item_of(dev, "spend-cap").entry.title
    assert title in reader.page(decision)
    Decision.objects.update(snapshot=Replace(F("snapshot"), Value("open"), Value("verified")))
    for said in (reader.page(decision), said_in(reader.file(decision, "pdf"))):
        assert "The snapshot was changed." in said
        assert title not in said
    kept = json.loads(reader.file(decision, "json"))
    assert (kept["intact"], kept["sheet"], kept["snapshot"], kept["hash"]) == (False, None, None, decision.hash)


def test_a_pack_is_in_the_language_that_is_asked_for(reader: Reader, settings: LazySettings) -> None:
    settings.LANGUAGES = [("en-ca", "English"), ("fr-ca", "Français")]
    dev = make_environment(name="dev", kind="dev")
    Entry.objects.filter(slug="spend-cap").update(translations={"fr": {"title": "Plafond de dépenses"}})
    decision = a_no_go(make_member(dev.service.team, "mia"), make_reviewer("ada"), dev)
    english, french = reader.file(decision, "pdf", lang="en"), reader.file(decision, "pdf", lang="fr")
    assert [opened(one).trailer["/Root"]["/Lang"] for one in (english, french)] == ["en-CA", "fr-CA"]
    assert "Plafond de dépenses" in said_in(french)
    assert "Plafond de dépenses" not in said_in(english)
    assert "Plafond de dépenses" in reader.page(decision, "fr")
    page = reader.client.get(reverse("decision-pack", args=[decision.pk]), {"lang": "fr"})
    assert page.headers["Content-Language"] == "fr-ca"
    assert '<html lang="fr-ca">' in page.content.decode()
    assert reader.file(decision, "pdf", lang="../../etc") == english


def test_a_pack_in_french_has_the_french_that_was_frozen_also_for_conditions_and_the_checklist(
    reader: Reader, settings: LazySettings
) -> None:
    settings.LANGUAGES = [("en-ca", "English"), ("fr-ca", "Français")]
    dev = make_environment(name="dev", kind="dev")
    Entry.objects.filter(slug="logs-redacted").update(translations={"fr": {"title": "Journaux sans clé"}})
    Checklist.objects.update(translations={"fr": {"name": "Liste de Bastion"}})
    decision = conditional(make_member(dev.service.team, "mia"), make_reviewer("ada"), dev)
    french = reader.page(decision, "fr")
    assert french.count("Journaux sans clé") >= 3
    assert "No raw key in logs" not in french
    assert "Liste de Bastion" in french


def test_who_would_wait_too_long_for_a_paper_is_told_when_to_ask_again(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = make_environment(name="dev", kind="dev")
    decision = decide_on(dev, make_reviewer("ada"), now=NOW)
    monkeypatch.setattr(typesetting, "WAITS_S", 0.01)
    turns = typesetting._turns
    for _ in range(typesetting.AT_ONCE):
        assert turns.acquire(timeout=60)
    try:
        for lang, said in (("en", "Ask again in half a minute."), ("fr", "Redemandez dans une demi-minute.")):
            answer = reader.client.get(reverse("decision-pack-file", args=[decision.pk, "pdf"]), {"lang": lang})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
            assert said in answer.content.decode()
    finally:
        for _ in range(typesetting.AT_ONCE):
            turns.release()
    assert reader.file(decision, "pdf").startswith(b"%PDF")
