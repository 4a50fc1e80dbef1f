"""What probes and the engine say is said anew in French from codes; what is stored is the same in either language."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, RequestFactory, override_settings
from django.utils import translation

from checks.contract import Probe, Target
from checks.engine import look
from checks.failures import as_fact, from_fact
from checks.http import ClientPolicy, ProbeClient, RequestFailed
from checks.keys import Resolver, SecretError
from checks.registry import PROBES, observers
from checks.toolbox import Secrets
from readiness.actions import probes, runs
from readiness.enums.words import DecisionKind, Judgement, RunReason
from readiness.models import Decision, Event, Evidence, NotApplicable, Run
from readiness.rules import messages
from readiness.rules.findings import Finding
from readiness.rules.references import ReferencePolicy, TeamGrant
from readiness.rules.spoken import ENGLISH
from readiness.selectors.register import Filters, every_line
from readiness.templatetags.charts import fact_rows
from readiness.views.overview_export import export
from readiness.views.register import as_csv
from tests.deeds import REASON, after, ask, ask_to_leave_out, claimed, decide, decide_on, end, finish, observe, tick
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)
from tests.pseudo_french import spoken

pytestmark = pytest.mark.only_on("sqlite")


@pytest.fixture
def french(tmp_path: Path) -> Iterator[None]:
    with spoken(tmp_path):
        yield


def kept(finding: Finding) -> dict[str, Any]:
    """A finding as it comes back from the database."""
    one = {"code": finding.code, "params": finding.params, "sentence": finding.sentence}
    read: dict[str, Any] = json.loads(json.dumps(one))
    return read


def filled(template: str) -> dict[str, Any]:
    return {name: f"<{name}>" for _text, name, *_rest in Formatter().parse(template) if name}


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.slug)
def test_every_message_of_a_probe_is_said_from_its_code_and_parameters_alone(probe: Probe, french: None) -> None:
    for message, template in {**probe.messages, **probe.lacking}.items():
        if message in probe.messages:
            finding = probe.finding(probe.observes[0], Judgement.FAIL, message, **filled(template))
            assert finding.sentence == template.format(**filled(template))
            assert messages.tell_finding(kept(finding)) == messages.Told(f"«{finding.sentence}", stored=False)
        assert messages.known(f"{probe.slug}.{message}")


def test_every_template_of_ours_has_been_marked(french: None) -> None:
    unmarked = [code for code in messages.codes() if not messages.say(code, **_any(code)).startswith(("«", "<"))]
    assert unmarked == []


def _any(code: str) -> dict[str, Any]:
    return filled(messages._TEMPLATES[code])


def test_numbers_inside_a_finding_follow_the_language() -> None:
    probe = next(probe for probe in PROBES if probe.slug == "proxy-buffering")
    finding = probe.finding("stream-not-held", Judgement.INCONCLUSIVE, "no-events", waited_ms=12345.6)
    assert "in 12,346 ms" in finding.sentence
    with translation.override("fr-ca"):
        assert "12\N{NO-BREAK SPACE}346" in messages.say(finding.code, **finding.params)


def test_what_is_missing_is_said_in_the_language_of_the_page_and_stored_in_english(french: None) -> None:
    key = next(probe for probe in PROBES if probe.slug == "key-validity")
    assert key.missing(Target())[0] == "«The environment has no Bastion URL."
    facts, findings, _at = look(key, Target(), Secrets(), clock=lambda: NOW, unlimited=True)
    english = "The environment has no Bastion URL. The environment has no key reference."
    assert facts == {"missing": english.replace(". ", ".\n").split("\n")}
    assert {one.sentence for one in findings} == {english}
    said = "«The environment has no Bastion URL. «The environment has no key reference."
    assert messages.tell_finding(kept(findings[0])) == messages.Told(said, stored=False)


def test_a_failure_inside_a_failure_is_said_anew_to_the_last_word(french: None) -> None:
    with ProbeClient(ClientPolicy(), deadline_s=20) as client, pytest.raises(RequestFailed) as refused:
        client.get("http://10.0.0.1/v1/models")
    key = next(probe for probe in PROBES if probe.slug == "key-validity")
    fact = json.loads(json.dumps(as_fact(refused.value.code, refused.value.sentence)))
    assert fact["code"] == "refused-address"
    why = "10.0.0.1 may not be called: 10.0.0.1 is a private address, and no allowed network names it with port 80."
    assert fact["sentence"] == why
    finding = key.finding("key-accepted", Judgement.INCONCLUSIVE, "unreachable", why=from_fact(fact))
    assert finding.sentence == f"Bastion could not be asked: {why}"
    assert messages.tell_finding(kept(finding)).text == (
        "«Bastion could not be asked: «10.0.0.1 may not be called: «10.0.0.1 is ««a private address, "
        "and no allowed network names it with port 80."
    )


def test_a_reference_that_gives_no_key_is_refused_in_either_language(french: None) -> None:
    policy = ReferencePolicy(teams={"conv": TeamGrant(variable_prefixes=("A_", "B_"))})
    with pytest.raises(SecretError) as refused:
        Resolver(team="conv", policy=policy, environ={})("env:C_KEY")
    fact = as_fact(refused.value.code, refused.value.sentence)
    assert fact["sentence"].startswith("This team may refer to variables that begin with A_ or B_ only.")
    assert messages.spoken(from_fact(fact)).startswith(
        "«This team may refer to variables that begin with «A_ or B_ only."
    )


def test_a_failure_among_facts_is_shown_by_its_sentence_alone(tmp_path: Path) -> None:
    fact = {"secret_failure": as_fact("missing", messages.say("secret.no-variable", name="A_KEY"))}
    assert [(row.name, row.value) for row in fact_rows(fact)] == [
        ("Secret failure code", "missing"),
        ("Secret failure sentence", "The worker has no variable named A_KEY. Set it where the workers run."),
    ]
    with spoken(tmp_path):
        assert fact_rows(fact)[1].value.startswith("«The worker has no variable named A_KEY.")


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("engine.not-configured", {"sentence": "It has no key."}),
        ("engine.settings-of-old", {}),
        ("key-validity.no-secret", {"reference": "env:A"}),
        ("key-validity.refused", None),
    ],
)
def test_what_an_older_version_stored_stands_as_it_is_and_is_marked(code: str, params: Any, french: None) -> None:
    told = messages.tell_finding({"code": code, "params": params, "sentence": "It has no key."})
    assert told == messages.Told("It has no key.", stored=True)


def test_why_a_run_could_not_look_is_read_back_from_its_english(french: None) -> None:
    assert messages.tell_error("No probe of this name is installed.").text == "«No probe of this name is installed."
    broke = "The probe itself broke (ValueError); nothing follows from it."
    assert messages.tell_error(broke).text == f"«{broke}"
    disabled = "Ada Roy disabled spend-cap everywhere on 3 March 2026 at 09:05: it cries wolf. Nothing follows from it."
    said = messages.tell_error(disabled)
    assert said.text.startswith("««Ada Roy disabled spend-cap everywhere on ")
    assert said.text.endswith(": it cries wolf. Nothing follows from it.")
    assert "9\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}05" in said.text
    assert messages.tell_error("Something of old.") == messages.Told("Something of old.", stored=True)


def test_titles_remedies_and_fixes_are_said_in_the_language_of_the_page(french: None) -> None:
    for observer in observers():
        assert observer.question.startswith("«")
        assert observer.remedy.startswith("«")
    held = next(one for one in observers() if one.slug == "proxy-buffering").fix(
        "proxy-buffering.held-to-the-end", {"route": "https://a.example/stream/canary", "fetches": []}
    )
    assert held is not None
    assert held.words.startswith("«")
    assert [one.name for one in held.snippets if one.name.startswith("«")]
    assert held.snippets[0].name == "nginx"


@pytest.mark.django_db
def test_the_api_says_why_in_the_language_that_a_program_asks_for(tmp_path: Path) -> None:
    with spoken(tmp_path), override_settings(LANGUAGES=[("en-ca", "English"), ("fr-ca", "Français")]):
        said = {
            language: Client().post("/api/v1/builds", headers={"accept-language": language}).json()
            for language in ("en", "fr-ca")
        }
    assert said["en"]["detail"].startswith("Send a token that works")
    assert said["fr-ca"]["detail"] == f"«{said['en']['detail']}"
    assert said["fr-ca"]["title"] == said["en"]["title"]


# --- what is stored ---------------------------------------------------------------------------------------------------
@contextmanager
def undone() -> Iterator[None]:
    """Do something and take it back, keys that were given out included."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def deeds() -> list[Any]:
    """Do a little of everything that writes words, and return all that was stored and exported of it."""
    team = make_team("Conv")
    mia, ada, root = make_member(team, "mia"), make_reviewer("ada"), make_admin("root")
    prod = make_environment(make_service(team, "assistant", by=mia), "prod", by=mia, build="b1")
    tick(mia, item_of(prod, "alerts"))
    decide(ada, ask_to_leave_out(mia, item_of(prod, "spend-cap")))
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=Judgement.FAIL)
    end(mia, decide(ada, ask(mia, item_of(prod, "rotation-runbook"))), now=after(hours=1))
    for hours in (2, 3):
        decide(ada, ask(mia, item_of(prod, "rotation-runbook"), now=after(hours=hours)), now=after(hours=hours))
    plan: dict[str, Any] = {
        "environment_id": prod.pk,
        "reason": RunReason.SCHEDULED,
        "due_at": after(hours=3),
        "now": after(hours=3),
    }
    runs.plan(probe="key-validity", **plan)
    looking = claimed(prod, "proxy-buffering", now=after(hours=3))
    for probe in ("key-validity", "proxy-buffering"):
        probes.disable(by=root, probe=probe, environment_id=None, reason=REASON, now=after(hours=4))
    assert finish(looking, now=after(hours=5), build="b1", stream_not_held=Judgement.PASS)
    decide_on(prod, ada, DecisionKind.NO_GO, now=after(hours=7))
    asked: Any = RequestFactory().get("/")
    return [
        list(Event.objects.order_by("id").values_list("id", "kind", "text", "hash")),
        list(Run.objects.order_by("id").values_list("error", "findings")),
        list(Evidence.objects.order_by("id").values_list("summary", "code", "params")),
        list(NotApplicable.objects.order_by("id").values_list("end_reason")),
        list(Decision.objects.order_by("id").values_list("snapshot", "hash")),
        as_csv(every_line(Filters(), after(hours=8))),
        export(asked, "csv").content,
    ]


@pytest.mark.django_db
def test_the_same_acts_store_and_export_the_same_bytes_in_either_language(tmp_path: Path) -> None:
    with translation.override(ENGLISH), undone():
        in_english = deeds()
    with spoken(tmp_path), undone():
        in_french = deeds()
    assert in_french == in_english
    told = json.dumps(in_english, default=str)
    assert "A probe saw it fail, so it does apply." in told
    assert "disabled key-validity everywhere on" in told
    assert "Renewed by a new waiver." in told
