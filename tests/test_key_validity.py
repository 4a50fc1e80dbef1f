"""The key-validity probe against a real stand-in: valid, refused and unreachable are told apart."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from checks.contract import Target
from checks.probes.key_validity import KeyValidity
from checks.standin.server import StandInServer
from checks.standin.settings import Fault, StandInSettings
from tests.probing import judged, look

KEY = "qbt_" + "k3y5" * 8
REFERENCE = "file:/run/secrets/key"


@pytest.fixture
def standin() -> Iterator[StandInServer]:
    with StandInServer(StandInSettings(accepted_keys=frozenset({KEY}))) as server:
        yield server


def outcome(standin: StandInServer, reference: str = REFERENCE, **more: object) -> dict[str, str]:
    more.setdefault("secrets", {REFERENCE: KEY, "env:KEY": KEY})
    target = Target(bastion_url=standin.url, key_reference=reference)
    facts, found = look(KeyValidity(), target, key_hosts=(urlsplit(standin.url).netloc,), **more)  # type: ignore[arg-type]
    assert KEY not in repr(facts)
    return found


def test_an_accepted_key_from_a_manager_passes_both_clauses(standin: StandInServer) -> None:
    assert outcome(standin) == {"key-from-manager": "pass from-manager", "key-accepted": "pass accepted"}
    assert [(line.path, line.status) for line in standin.state.journal()] == [("/v1/models", 200)]


def test_a_revoked_key_fails(standin: StandInServer) -> None:
    standin.state.revoke(KEY)
    assert outcome(standin) == {"key-from-manager": "pass from-manager", "key-accepted": "fail refused"}


def test_a_reference_that_is_no_manager_fails_that_clause_alone(standin: StandInServer) -> None:
    found = outcome(standin, reference="env:KEY")
    assert found == {"key-from-manager": "fail not-a-manager", "key-accepted": "pass accepted"}


def test_where_the_operator_said_nothing_of_managers_it_cannot_tell(standin: StandInServer) -> None:
    assert outcome(standin, managers=None)["key-from-manager"] == "inconclusive managers-unknown"


def test_a_secret_that_is_not_there_is_inconclusive_and_nothing_is_asked(standin: StandInServer) -> None:
    found = outcome(standin, secrets={})
    assert found == {"key-from-manager": "inconclusive no-secret", "key-accepted": "inconclusive not-asked"}
    assert standin.state.journal() == ()


def test_what_does_not_begin_like_a_key_is_sent_nowhere(standin: StandInServer) -> None:
    found = outcome(standin, secrets={REFERENCE: "hunter2-and-more"})
    assert set(found.values()) == {"inconclusive not-like-a-key"}
    assert standin.state.journal() == ()


def test_a_key_that_was_asked_for_lately_is_not_asked_again(standin: StandInServer) -> None:
    assert outcome(standin, may_ask=lambda _mark: False)["key-accepted"] == "inconclusive asked-recently"
    assert standin.state.journal() == ()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, "fail refused"),
        (402, "inconclusive no-balance"),
        (404, "inconclusive not-found"),
        (429, "inconclusive rate-limited"),
        (500, "inconclusive upstream"),
        (502, "inconclusive upstream"),
        (503, "inconclusive upstream"),
    ],
)
def test_each_answer_means_what_it_means(standin: StandInServer, status: int, expected: str) -> None:
    standin.state.fail(Fault(status=status))
    assert outcome(standin)["key-accepted"] == expected


def test_a_wrong_path_is_not_called_a_refusal(standin: StandInServer) -> None:
    target = Target(bastion_url=standin.url.removesuffix("/v1"), key_reference=REFERENCE)
    _, found = look(KeyValidity(), target, key_hosts=(urlsplit(standin.url).netloc,), secrets={REFERENCE: KEY})
    assert found["key-accepted"] == "inconclusive not-found"


def test_nobody_at_the_address_is_unreachable() -> None:
    with StandInServer() as gone:
        url = gone.url
    target = Target(bastion_url=url, key_reference=REFERENCE)
    _, found = look(KeyValidity(), target, key_hosts=(urlsplit(url).netloc,), secrets={REFERENCE: KEY})
    assert found["key-accepted"] == "inconclusive unreachable"


def test_a_host_that_may_not_be_sent_a_key_gets_no_connection(standin: StandInServer) -> None:
    target = Target(bastion_url=standin.url, key_reference=REFERENCE)
    asked: list[str] = []
    given = {"secrets": {REFERENCE: KEY}, "may_ask": lambda mark: not asked.append(mark)}
    facts, found = look(KeyValidity(), target, key_hosts=("api.example.ca",), **given)
    assert asked == [], "the key's hourly turn was used up"
    assert found["key-accepted"] == "inconclusive unreachable"
    assert facts["request_failure"]["code"] == "not-a-key-host"
    assert standin.state.journal() == ()


def answered(**changed: Any) -> str:
    """Return what is concluded of an answer to a key that was sent."""
    facts = {
        "reference": REFERENCE,
        "counts_as_manager": True,
        "url": "https://a.example/v1/models",
        "resolved": True,
        "asked": True,
        "begins_like_a_key": True,
        "elapsed_ms": 3.0,
        "models": None,
        "code": None,
        **changed,
    }
    return judged(KeyValidity(), facts)["key-accepted"]


def test_a_redirect_is_told_and_not_followed() -> None:
    assert answered(status=308, redirects_to="https://b.example") == "inconclusive redirected"


def test_an_undocumented_403_is_not_called_a_refusal() -> None:
    assert answered(status=403) == "inconclusive forbidden"


def test_a_page_that_answers_200_is_not_a_list_of_models() -> None:
    assert answered(status=200) == "inconclusive not-models"


def test_what_is_missing_is_said() -> None:
    assert KeyValidity().missing(Target()) == [
        "The environment has no Bastion URL.",
        "The environment has no key reference.",
    ]
