"""HAProxy, Caddy and Varnish where the machine has them: for measurements, not for tests."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.proxies.origin import Origin
from tests.proxies.processes import free_ports, running
from tests.proxies.rows import Row

COMPRESS = "compression algo gzip\n compression type text/event-stream"
HAPROXY_ROWS = (
    Row(name="default"),
    Row(name="no-delay", config="option http-no-delay"),
    Row(name="compression", config=COMPRESS, held="held-by-one", compressed="compressed"),
    Row(
        name="no-delay-compression",
        config="option http-no-delay\n " + COMPRESS,
        held="held-by-one",
        compressed="compressed",
    ),
)
ENCODE = "encode {\n gzip\n minimum_length 1\n match {\n header Content-Type text/event-stream*\n }\n }"
CADDY_ROWS = (
    Row(name="default"),
    Row(name="encode-streams", config=ENCODE, held="held-to-the-end", compressed="compressed"),
)
VARNISH_ROWS = (
    Row(name="streaming", config="true"),
    Row(name="collecting", config="false", held="held-to-the-end", cached="cache-hinted"),
)


def _found(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")


@contextmanager
def haproxy(command: str, origin: Origin, folder: Path) -> Iterator[dict[str, str]]:
    """Run HAProxy with a listener for each row."""
    ports = free_ports(len(HAPROXY_ROWS))
    listeners = "\n".join(
        f"listen {row.name}\n bind 127.0.0.1:{port}\n {row.config}\n server origin 127.0.0.1:{origin.chunked}"
        for row, port in zip(HAPROXY_ROWS, ports, strict=True)
    )
    defaults = "defaults\n mode http\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
    (folder / "haproxy.cfg").write_text(f"global\n maxconn 4000\n{defaults}{listeners}\n")
    with running([command, "-db", "-f", "haproxy.cfg"], folder=folder, ports=ports):
        yield _urls(HAPROXY_ROWS, ports)


@contextmanager
def caddy(command: str, origin: Origin, folder: Path) -> Iterator[dict[str, str]]:
    """Run Caddy with a site for each row, its storage in ``folder``."""
    ports = free_ports(len(CADDY_ROWS))
    sites = "\n".join(
        f"http://127.0.0.1:{port} {{\n {row.config}\n reverse_proxy 127.0.0.1:{origin.chunked}\n}}"
        for row, port in zip(CADDY_ROWS, ports, strict=True)
    )
    (folder / "Caddyfile").write_text(f"{{\n admin off\n auto_https off\n storage file_system {folder}\n}}\n{sites}\n")
    own_home = [f"XDG_CONFIG_HOME={folder}", f"XDG_DATA_HOME={folder}"]
    argv = ["env", *own_home, command, "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    with running(argv, folder=folder, ports=ports):
        yield _urls(CADDY_ROWS, ports)


@contextmanager
def varnish(command: str, origin: Origin, folder: Path) -> Iterator[dict[str, str]]:
    """Run Varnish; the row is the first part of the path."""
    (port,) = free_ports(1)
    streams = "\n".join(
        f'if (bereq.http.x-row == "{row.name}") {{ set beresp.do_stream = {row.config}; }}' for row in VARNISH_ROWS
    )
    (folder / "default.vcl").write_text(f"""vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin.chunked}"; }}
sub vcl_recv {{
 set req.http.x-row = regsub(req.url, "^/([^/]+)/.*", "\\1");
 set req.url = regsub(req.url, "^/[^/]+", "");
}}
sub vcl_backend_response {{ {streams} }}
""")
    argv = [
        command,
        "-j",
        "none",
        "-F",
        "-n",
        str(folder),
        "-a",
        f"127.0.0.1:{port}",
        "-f",
        str(folder / "default.vcl"),
    ]
    with running([*argv, "-s", "default,32m", "-p", "thread_pool_max=2000"], folder=folder, ports=[port]):
        yield {row.name: f"http://127.0.0.1:{port}/{row.name}/plain" for row in VARNISH_ROWS}


def _urls(rows: tuple[Row, ...], ports: list[int]) -> dict[str, str]:
    return {row.name: f"http://127.0.0.1:{port}/plain" for row, port in zip(rows, ports, strict=True)}


Starter = Callable[[str, Origin, Path], AbstractContextManager[dict[str, str]]]


def extras() -> dict[str, tuple[str, tuple[Row, ...], Starter]]:
    """Return what is on this machine: name to command, rows, and how to run it."""
    known: dict[str, tuple[str | None, tuple[Row, ...], Starter]] = {
        "haproxy": (_found("haproxy"), HAPROXY_ROWS, haproxy),
        "caddy": (_found("caddy"), CADDY_ROWS, caddy),
        "varnish": (_found("varnishd"), VARNISH_ROWS, varnish),
    }
    return {name: (command, rows, start) for name, (command, rows, start) in known.items() if command}
