"""Envoy, which passes streams on unless a filter collects them or a time limit cuts them."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.proxies.origin import Origin
from tests.proxies.processes import free_ports, running
from tests.proxies.rows import Row

TYPES = "type.googleapis.com/envoy.extensions"
COMPRESSOR = {
    "name": "envoy.filters.http.compressor",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.compressor.v3.Compressor",
        "compressor_library": {
            "name": "gzip",
            "typed_config": {"@type": f"{TYPES}.compression.gzip.compressor.v3.Gzip"},
        },
    },
}
STREAM_COMPRESSOR = {
    "name": COMPRESSOR["name"],
    "typed_config": {
        **COMPRESSOR["typed_config"],  # type: ignore[dict-item]
        "response_direction_config": {
            "common_config": {"min_content_length": 30, "content_type": ["text/event-stream"]}
        },
    },
}
COLLECTOR = {
    "name": "envoy.filters.http.lua",
    "typed_config": {
        "@type": f"{TYPES}.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_response(h) h:body() end"},
    },
}
FILTERS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "gzip": [COMPRESSOR],
    "gzip-of-streams": [STREAM_COMPRESSOR],
    "lua-reads-body": [COLLECTOR],
}

NO_LIMIT, SHORT_LIMIT = "0s", "2s"
DEFAULT_LIMIT = ""
"""Envoy's own: 15 s for a whole answer."""

ROWS = (
    Row(name="none", config=NO_LIMIT),
    Row(name="none", config=DEFAULT_LIMIT),
    Row(name="none", config=SHORT_LIMIT, held="cut-early", cached="cut-early"),
    Row(name="none", config=NO_LIMIT, closing=True),
    Row(name="gzip", config=NO_LIMIT),
    Row(name="gzip", config=NO_LIMIT, closing=True),
    Row(name="gzip-of-streams", config=NO_LIMIT, compressed="compressed"),
    Row(name="lua-reads-body", config=NO_LIMIT, held="held-to-the-end"),
)


def title(row: Row) -> str:
    """Return a name for a row that no other has."""
    limit = {NO_LIMIT: "no-limit", DEFAULT_LIMIT: "default-limit", SHORT_LIMIT: "limit-2s"}[row.config]
    return f"{row.name}-{limit}{'-closing' if row.closing else ''}"


def binary() -> str | None:
    """Return the Envoy of the test environment, or else that of this machine."""
    return shutil.which("envoy", path=str(Path(sys.executable).parent)) or shutil.which("envoy")


@contextmanager
def envoy(command: str, origin: Origin, folder: Path) -> Iterator[dict[str, str]]:
    """Run one Envoy with a listener for each row; gives the stream URL of each by its title."""
    ports = free_ports(len(ROWS))
    config = {
        "static_resources": {
            "listeners": [_listener(row, port) for row, port in zip(ROWS, ports, strict=True)],
            "clusters": [_cluster("chunked", origin.chunked), _cluster("closing", origin.closing)],
        }
    }
    (folder / "envoy.json").write_text(json.dumps(config))
    argv = [command, "-c", "envoy.json", "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    with running(argv, folder=folder, ports=ports):
        yield {title(row): f"http://127.0.0.1:{port}/{row.route}" for row, port in zip(ROWS, ports, strict=True)}


def _listener(row: Row, port: int) -> dict[str, Any]:
    limit = {"timeout": row.config} if row.config else {}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "closing" if row.closing else "chunked", **limit}}
    router = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"}}
    manager = {
        "@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [*FILTERS[row.name], router],
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {"address": _address(port), "filter_chains": [{"filters": filters}]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
