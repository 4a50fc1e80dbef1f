"""What to change where a canary stream was held, compressed or cached, with the lines to write. Pure functions.

The causes were measured with nginx 1.22, HAProxy 2.6, Caddy 2.6, Varnish 7.1 and Envoy 1.40. What was seen decides
which lines stand first: which proxies stand on the way nobody told us.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from checks.contract import Facts
from readiness.observers import Fix, Snippet

EARLY_MS = 250
"""Half a gap: headers that come sooner came from a proxy that had begun to answer before it had an event to send."""

_PLAIN = re.compile(r"[A-Za-z0-9/._~-]+")


def buffering_fix(message: str, facts: Facts) -> Fix | None:
    """Return what to do about one of the messages of ``proxy-buffering``; None where it is a pass."""
    fix = _fix(message, facts)
    return fix and replace(fix, snippets=tuple(replace(one, name=_(one.name)) for one in fix.snippets))


def _fix(message: str, facts: Facts) -> Fix | None:
    if message in ("held-to-the-end", "held-in-pages", "uneven", "late"):
        return Fix(words=_(_HOLDING[message]), snippets=_not_held(message, facts))
    if message == "held-by-one":
        words = _(
            "A proxy that compresses sends each event on only when the next one comes. Leave streams uncompressed."
        )
        return Fix(words=words, snippets=(_HAPROXY_COMPRESSION, _nginx(facts, "gzip off;"), _CADDY_COMPRESSION))
    if message == "compressed":
        words = _("Leave text/event-stream out of what the proxy compresses; browsers always accept gzip.")
        return Fix(
            words=words,
            snippets=_in_order((_nginx(facts, "gzip off;"), _CADDY_COMPRESSION, _HAPROXY_COMPRESSION), facts),
        )
    if message in ("replayed", "replayed-only", "cache-hinted", "foreign-canary"):
        words = _("Let no cache answer on the stream route, and send Cache-Control: no-cache with the stream.")
        lines = ("proxy_cache off;", "proxy_buffering off;")
        return Fix(words=words, snippets=_in_order((_nginx(facts, *lines), _varnish_pass(facts)), facts))
    if message == "cut-early":
        words = _("Something on the way has a time limit that is shorter than the stream. Give the route a longer one.")
        return Fix(words=words, snippets=(_ENVOY_TIMEOUT, _nginx(facts, "proxy_read_timeout 300s;")))
    return Fix(words=_(_IN_WORDS[message]), snippets=(_try_it(facts),)) if message in _IN_WORDS else None


_HOLDING = {
    "held-to-the-end": gettext_noop(
        "A proxy gathers the whole answer before it passes it on. Turn buffering off on this route, "
        "with the lines for the proxy that stands in front of the service."
    ),
    "held-in-pages": gettext_noop(
        "A proxy passes the answer on in full buffers. Turn buffering off on this route, with the lines "
        "for the proxy that stands in front of the service."
    ),
    "uneven": gettext_noop(
        "Some readings came as they were sent and others were held, so there may be several ways to the service. "
        "Compare the configuration of each."
    ),
    "late": gettext_noop(
        "Each event waits for the same time. HAProxy holds small pieces for 200 ms unless it is told not to."
    ),
}
_IN_WORDS = {
    "other-pace": gettext_noop("Make the canary route send as many events, as far apart, as its query asks for."),
    "untrue-times": gettext_noop("Take sent_ms on a monotonic clock when each event is written, not before."),
    "padded": gettext_noop("Send canary events without padding and long comments: 120 bytes are enough."),
    "nonce-repeats": gettext_noop("Make a new nonce for each answer of the canary route."),
    "unreachable": gettext_noop(
        "See that the stream route is reached from where the worker runs, and that it answers."
    ),
    "redirected": gettext_noop("Write the address that the redirect leads to as the stream route, in the settings."),
    "wrong-status": gettext_noop("Make the canary route answer 200, without signing in."),
    "wrong-type": gettext_noop("Make the canary route answer with Content-Type: text/event-stream."),
    "no-events": gettext_noop("Send the first canary event at once, and flush each one."),
    "not-a-canary": gettext_noop(
        "Send events of the canary protocol on this route: canary, nonce, n, of and sent_ms as JSON."
    ),
    "unreadable": gettext_noop("Send the stream in no Content-Encoding, or in the one that was asked for."),
}


def _not_held(message: str, facts: Facts) -> tuple[Snippet, ...]:
    nginx = _nginx(facts, "proxy_buffering off;", "proxy_http_version 1.1;", "gzip off;")
    header = Snippet(
        name=gettext_noop("The service itself, where nginx may not be changed"),
        text="X-Accel-Buffering: no\nCache-Control: no-cache, no-transform",
    )
    every = (nginx, _CADDY, _VARNISH_STREAM, _HAPROXY_DELAY, header)
    if message == "late":
        return (_HAPROXY_DELAY, nginx)
    if _compressed_early(facts):
        return _in_order((_CADDY_COMPRESSION, nginx, _CADDY, _VARNISH_STREAM, header), facts)
    return _in_order(every, facts)


def _compressed_early(facts: Facts) -> bool:
    """Tell whether a compressed answer began at once and its events came late: Caddy with compression does that."""
    return any(
        fetch.get("header_ms") is not None
        and fetch["header_ms"] < EARLY_MS
        and (fetch.get("headers") or {}).get("content-encoding", "") not in ("", "identity")
        and fetch.get("events")
        and fetch["events"][0]["arrived_ms"] > fetch["header_ms"] + EARLY_MS
        for fetch in _fetches(facts)
    )


def _in_order(snippets: tuple[Snippet, ...], facts: Facts) -> tuple[Snippet, ...]:
    """Return snippets with those of proxies that named themselves in the answer first."""
    seen = " ".join(
        f"{name} {value}" for fetch in _fetches(facts) for name, value in (fetch.get("headers") or {}).items()
    ).lower()
    return tuple(sorted(snippets, key=lambda one: one.name.split()[0].lower().strip(",") not in seen))


def _fetches(facts: Facts) -> list[Mapping[str, Any]]:
    found = facts.get("fetches")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _path(facts: Facts) -> str:
    """Return the folder of the route; the whole site where a proxy would read its signs as part of a configuration."""
    path = urlsplit(str(facts.get("route", ""))).path.rpartition("/")[0] + "/"
    return path if _PLAIN.fullmatch(path) else "/"


def _nginx(facts: Facts, *lines: str) -> Snippet:
    body = "".join(f"    {line}\n" for line in lines)
    return Snippet(name="nginx", text=f"location {_path(facts)} {{\n    # proxy_pass as it is\n{body}}}")


def _varnish_pass(facts: Facts) -> Snippet:
    inner = f'    if (req.url ~ "^{_path(facts)}") {{\n        return (pass);\n    }}\n'
    return Snippet(name="Varnish", text=f"sub vcl_recv {{\n{inner}}}")


def _try_it(facts: Facts) -> Snippet:
    url = shlex.quote(f"{facts.get('route', '')}?canary=try&events=8&gap_ms=500")
    return Snippet(name=gettext_noop("To see it yourself"), text=f"curl -N -H 'Accept: text/event-stream' {url}")


_CADDY = Snippet(name="Caddy", text="reverse_proxy app:8000 {\n    flush_interval -1\n}")
_CADDY_COMPRESSION = Snippet(
    name=gettext_noop("Caddy, compression without text/event-stream"),
    text="encode {\n    gzip\n    match {\n        header Content-Type text/html*\n"
    "        header Content-Type application/json*\n    }\n}",
)
_VARNISH_STREAM = Snippet(name="Varnish", text="sub vcl_backend_response {\n    set beresp.do_stream = true;\n}")
_HAPROXY_DELAY = Snippet(
    name=gettext_noop("HAProxy, in both the frontend and the backend"), text="option http-no-delay"
)
_HAPROXY_COMPRESSION = Snippet(
    name=gettext_noop("HAProxy, compression without text/event-stream"),
    text="compression algo gzip\ncompression type text/html text/css application/json",
)
_ENVOY_TIMEOUT = Snippet(
    name=gettext_noop("Envoy, whose routes end after 15 s"), text="route:\n  cluster: app\n  timeout: 0s"
)
