"""Listeners that are closed after the test, and certificates made for it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

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
    """A certificate for good.example and 127.0.0.1, and the authority that vouches for it."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("good.example", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(folder / "chain.pem", append=number > 0)
    authority.cert_pem.write_to_path(folder / "cert.pem")
    return folder


@pytest.fixture
def tls(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "chain.pem", certificates / "key.pem")
    return context


@pytest.fixture
def trusting(certificates: Path) -> Trusting:
    def make(*addresses: str, **more: Any) -> ProbeClient:
        rules = policy("127.0.0.0/8", ca_file=str(certificates / "cert.pem"), **more)
        return ProbeClient(rules, deadline_s=60, resolve=answers(*(addresses or ["127.0.0.1"])))

    return make
