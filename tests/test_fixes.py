"""What to change after a finding: every outcome that is no pass says it, with the exact lines where there are any."""

import shlex
from typing import Any

import pytest

from checks.contract import Facts, Probe
from checks.registry import PROBES, observers

PASSES = {
    "key-validity": {"from-manager", "accepted"},
    "spend-cap": {"matches"},
    "proxy-buffering": {"streamed", "streamed-late", "uncompressed", "fresh"},
}
FETCH = {"header_ms": 3510.0, "headers": {}, "events": [{"sent_ms": 0.0, "arrived_ms": 3512.0}]}


def buffering(**fetch: Any) -> Facts:
    return {"route": "https://assistant.example.ca/stream/canary", "fetches": [{**FETCH, **fetch}]}


FACTS: dict[str, Facts] = {
    "key-validity": {"url": "https://api.example.ca/v1/models"},
    "spend-cap": {"declared": "1500.00", "declared_currency": "CAD"},
    "proxy-buffering": buffering(),
}
BUFFERING = next(probe for probe in PROBES if probe.slug == "proxy-buffering")


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.slug)
def test_every_message_but_a_pass_says_what_to_change(probe: Probe) -> None:
    fixes = {message: probe.fix(message, FACTS[probe.slug]) for message in probe.messages}
    assert {message for message, fix in fixes.items() if fix is None} == PASSES[probe.slug]
    for fix in fixes.values():
        assert fix is None or (fix.words.endswith(".") and all(one.name and one.text for one in fix.snippets))


@pytest.mark.parametrize(
    ("message", "facts", "first", "lines"),
    [
        ("held-to-the-end", buffering(), "nginx", ["location /stream/ {", "proxy_buffering off;"]),
        ("held-to-the-end", buffering(headers={"via": "1.1 varnish (Varnish/7.1)"}), "Varnish", ["do_stream = true"]),
        ("held-to-the-end", buffering(header_ms=3.0), "nginx", ["proxy_buffering off;"]),
        (
            "held-to-the-end",
            buffering(header_ms=3.0, headers={"content-encoding": "gzip"}),
            "Caddy, compression",
            ["match {"],
        ),
        ("held-by-one", buffering(), "HAProxy, compression", ["compression type text/html"]),
        ("late", buffering(), "HAProxy", ["option http-no-delay"]),
        ("compressed", buffering(), "nginx", ["gzip off;"]),
        ("replayed", buffering(headers={"x-cache": "HIT"}), "nginx", ["proxy_cache off;"]),
        ("cut-early", buffering(), "Envoy", ["timeout: 0s"]),
    ],
)
def test_what_was_seen_decides_which_lines_stand_first(
    message: str, facts: Facts, first: str, lines: list[str]
) -> None:
    fix = BUFFERING.fix(message, facts)
    assert fix is not None
    assert fix.snippets[0].name.startswith(first)
    assert all(line in fix.snippets[0].text for line in lines)


def test_a_call_to_try_keeps_the_key_off_the_command_line() -> None:
    fix = next(probe for probe in PROBES if probe.slug == "key-validity").fix("refused", FACTS["key-validity"])
    assert fix is not None
    assert "-H @-" in fix.snippets[0].text
    assert "https://api.example.ca/v1/models" in fix.snippets[0].text


def test_nothing_in_an_address_ends_the_line_that_is_to_be_copied() -> None:
    by_slug = {probe.slug: probe for probe in PROBES}
    url = "https://assistant.example.ca/a;b/{c'$(id)/canary"
    call = by_slug["key-validity"].fix("refused", {"url": url})
    tried = by_slug["proxy-buffering"].fix("no-events", {"route": url})
    held = by_slug["proxy-buffering"].fix("held-to-the-end", {"route": url, "fetches": [FETCH]})
    assert call is not None
    assert tried is not None
    assert held is not None
    assert shlex.split(call.snippets[0].text)[-1] == url
    assert shlex.split(tried.snippets[0].text)[-1].startswith(f"{url}?canary=")
    assert "location / {" in held.snippets[0].text


def test_facts_of_an_older_version_get_the_remedy_and_never_an_error() -> None:
    by_slug = {one.slug: one for one in observers()}
    fix = by_slug["proxy-buffering"].fix("proxy-buffering.held-to-the-end", {"fetches": [{"events": [1]}, 7]})
    assert fix is not None
    assert fix.words
    assert by_slug["proxy-buffering"].fix("proxy-buffering.a-message-of-old", {}) is None
