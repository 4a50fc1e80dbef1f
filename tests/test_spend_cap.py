"""The spend-cap probe: two caps compared, and everything that is not clearly one of both."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from checks.contract import BillingTarget, Target
from checks.probes.fixed_json import fixed_json_app
from checks.probes.spend_cap import SpendCap
from checks.standin.server import StandInServer
from tests.probing import judged, look

DOCUMENT = {
    "environments": [
        {"name": "web-prod", "budget": {"amount": 1500, "currency": "cad"}},
        {"name": "web-dev", "budget": {"amount": None, "currency": "CAD"}},
        {"name": "web-odd", "budget": {"amount": "lots", "currency": "CAD"}},
        {"name": "web-true", "budget": {"amount": True, "currency": "CAD"}},
        {"name": "web-bare", "budget": {"amount": 10}},
        {"name": "a`b'c\\", "budget": {"amount": 1500, "currency": "CAD"}},
    ]
}


@pytest.fixture(scope="module")
def billing() -> Iterator[str]:
    server = StandInServer()
    server.app = fixed_json_app(DOCUMENT)
    with server:
        yield server.url.removesuffix("/v1") + "/caps"


def target(url: str, name: str = "web-prod", cap: str = "1500.00", currency: str = "CAD", **more: Any) -> Target:
    source = {
        "url": url,
        "environment_expression": "environments[?name=={environment}] | [0]",
        "cap_expression": "budget.amount",
        "currency_expression": "budget.currency",
        "environment_name": name,
        "header_name": "",
        "secret_reference": "",
        **more,
    }
    return Target(spend_cap=Decimal(cap), spend_cap_currency=currency, billing=BillingTarget(**source))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "pass matches"),
        ({"cap": "1500"}, "pass matches"),
        ({"cap": "1499.99"}, "fail differs"),
        ({"currency": "USD"}, "fail differs"),
        ({"name": "web-dev"}, "fail no-cap"),
        ({"name": "web-odd"}, "inconclusive no-number"),
        ({"name": "web-true"}, "inconclusive no-number"),
        ({"name": "web-bare"}, "inconclusive no-currency"),
        ({"name": "nobody"}, "inconclusive unknown-environment"),
        ({"name": "a`b'c\\"}, "pass matches"),
        ({"name": "x'] | [0] || environments[0] | ['"}, "inconclusive unknown-environment"),
        ({"cap_expression": "budget..amount"}, "inconclusive bad-expression"),
        ({"environment_expression": "environments[?"}, "inconclusive bad-expression"),
    ],
)
def test_two_caps_are_compared(billing: str, asked: dict[str, Any], expected: str) -> None:
    assert look(SpendCap(), target(billing, **asked))[1] == {"cap-matches": expected}


def test_what_the_sources_address_carries_is_not_shown(billing: str) -> None:
    facts, found = look(SpendCap(), target(billing + "?token=s3cr3t"))
    assert (found, facts["source"]) == ({"cap-matches": "pass matches"}, billing)

    facts, found = look(SpendCap(), target(billing.replace("http://", "http://reader:s3cr3t@")))
    assert (found, facts["source"]) == ({"cap-matches": "inconclusive unreachable"}, billing)


def test_the_secret_of_the_source_is_sent_only_to_a_host_that_may_have_it(billing: str) -> None:
    asking = target(billing, header_name="X-Token", secret_reference="file:/t")
    facts, found = look(SpendCap(), asking, secrets={"file:/t": "s3cr3t-value"})
    assert found == {"cap-matches": "inconclusive unreachable"}
    assert facts["request_failure"]["code"] == "not-a-key-host"
    host = billing.split("/")[2]
    assert look(SpendCap(), asking, secrets={"file:/t": "s3cr3t-value"}, key_hosts=(host,))[1] == {
        "cap-matches": "pass matches"
    }
    assert look(SpendCap(), asking, key_hosts=(host,))[1] == {"cap-matches": "inconclusive no-secret"}


def test_without_a_source_it_says_what_to_do() -> None:
    facts = {"declared": "10", "declared_currency": "CAD", "source": None}
    assert judged(SpendCap(), facts) == {"cap-matches": "inconclusive no-source"}
    assert SpendCap().missing(Target(spend_cap=Decimal(1))) == [SpendCap.messages["no-source"]]
    assert "tick the item" in SpendCap.messages["no-source"]


def test_an_answer_that_is_not_200_is_inconclusive() -> None:
    facts = {"declared": "10", "declared_currency": "CAD", "source": "u", "name": "n", "status": 503}
    assert judged(SpendCap(), facts) == {"cap-matches": "inconclusive wrong-status"}
