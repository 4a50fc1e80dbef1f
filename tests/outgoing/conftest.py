"""Listeners that are closed after the test, and certificates made for it."""

import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from checks.http import ProbeClient
from tests.outgoing.listeners import Handler, Listen, Listener, Trusting, answers, policy, respond


@pytest.fixture
def listen() -> Iterator[Listen]:
    with ExitStack() as stack:

        def start(
            handler: Handler | None = None, address: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
        ) -> Listener:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.create_server((address, port), family=family)
            listener = Listener(sock, handler or respond(), tls)
            stack.callback(listener.close)
            return listener

        yield start


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for good.example and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=test"),
            *("-addext", "subjectAltName=DNS:good.example,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    return context


@pytest.fixture
def trusting(certificates: Path) -> Trusting:
    def make(*addresses: str, **more: Any) -> ProbeClient:
        rules = policy("127.0.0.0/8", ca_file=str(certificates / "cert.pem"), **more)
        return ProbeClient(rules, deadline_s=10, resolve=answers(*(addresses or ["127.0.0.1"])))

    return make
