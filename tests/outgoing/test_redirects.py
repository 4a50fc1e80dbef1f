"""Which redirects the outgoing client follows, and whose certificates it accepts."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from django.utils.translation import override

from checks.failures import system_reason
from checks.http import ProbeClient
from readiness.rules.messages import spoken
from tests.outgoing.listeners import Handler, Listen, Trusting, fails, get, policy, redirect, respond


def test_three_redirects_are_followed_and_a_fourth_is_not(listen: Listen) -> None:
    def handler(sock: socket.socket, request: str) -> None:
        left = int(request.split(" ")[1].strip("/"))
        (redirect(f"/{left - 1}") if left else respond(b"there"))(sock, request)

    server = listen(handler)
    answer = get(server, "/3")
    assert (answer.body, answer.url) == (b"there", f"http://127.0.0.1:{server.port}/0")
    with fails("redirect"):
        get(server, "/4")
    with fails("redirect"):
        get(server, "/9", follow_redirects=9)
    with fails("redirect"):
        get(server, "/2", follow_redirects=1)


def test_without_following_a_redirect_is_the_answer(listen: Listen) -> None:
    answer = get(listen(redirect("/next")), follow_redirects=0)
    assert (answer.status, answer.headers["location"]) == (302, "/next")


@pytest.mark.parametrize("handler", [respond(b"x", "304 Not Modified"), respond(b"x", "302 Found")])
def test_a_redirect_that_leads_nowhere_is_the_answer(handler: Handler, listen: Listen) -> None:
    assert get(listen(handler)).status in {302, 304}


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("file:///etc/passwd", "bad-url"),
        ("gopher://127.0.0.1/", "bad-url"),
        ("http://me@127.0.0.1/", "bad-url"),
        ("http://[::zz]/", "redirect"),
    ],
)
def test_a_redirect_to_what_is_not_http_is_not_followed(location: str, code: str, listen: Listen) -> None:
    with fails(code):
        get(listen(redirect(location)))


def test_the_body_of_a_redirect_is_not_read(listen: Listen) -> None:
    def handler(sock: socket.socket, request: str) -> None:
        (respond(b"there") if "/next" in request else redirect_with_a_large_body)(sock, request)

    redirect_with_a_large_body = respond(b"x" * 200_000, "301 Moved", "Location: /next\r\n")
    assert get(listen(handler), max_bytes=1000).body == b"there"


def test_another_host_is_not_given_an_authorization_header(listen: Listen) -> None:
    other = listen()
    server = listen(redirect(f"http://127.0.0.1:{other.port}/"))
    client = ProbeClient(policy("127.0.0.1"), deadline_s=60)
    client.get(f"http://127.0.0.1:{server.port}/", headers={"Authorization": "Basic x", "X-Mine": "1"})
    assert "authorization: Basic x" in server.requests[0]
    assert "authorization" not in other.requests[0]
    assert "x-mine: 1" in other.requests[0]


def test_a_certificate_is_checked_against_the_name_that_was_asked_for(
    listen: Listen, tls: ssl.SSLContext, trusting: Trusting
) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda sock, name, context: names.append(name)
    server = listen(tls=tls)

    assert trusting().get(f"https://good.example:{server.port}/").body == b"hello"
    assert names == ["good.example"]
    assert f"host: good.example:{server.port}" in server.requests[0]
    with fails("tls") as caught:
        trusting().get(f"https://other.example:{server.port}/")
    assert caught[0].sentence.endswith("was not accepted: it is not valid for other.example.")


def test_an_unknown_certificate_authority_is_refused(
    listen: Listen, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, certificates: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "cert.pem"))
    server = listen(tls=tls)
    with fails("tls") as caught:
        ProbeClient(policy("127.0.0.1"), deadline_s=60).get(f"https://127.0.0.1:{server.port}/")
    why = "was not accepted: unable to get local issuer certificate."
    assert caught[0].sentence == f"The certificate of 127.0.0.1:{server.port} {why}"
    with override("fr-ca"):
        assert spoken(caught[0].sentence).endswith("l’autorité qui l’a émis n’est pas connue ici.")
        assert spoken(system_reason("WRONG_VERSION_NUMBER")) == "«\xa0WRONG_VERSION_NUMBER\xa0»"
    assert server.requests == [""]


def test_a_server_that_speaks_no_tls_is_a_tls_failure(listen: Listen) -> None:
    def handler(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            sock, _ = server.accept()
            with sock:
                sock.recv(65536)
                handler(sock)

        threading.Thread(target=serve, daemon=True).start()
        with fails("tls"):
            ProbeClient(policy("127.0.0.1"), deadline_s=60).get(f"https://127.0.0.1:{port}/")


def test_a_redirect_from_http_to_https_is_followed_and_the_way_back_is_not(
    listen: Listen, tls: ssl.SSLContext, trusting: Trusting
) -> None:
    plain = listen()
    secure = listen(tls=tls)
    plain.handler = redirect(f"https://good.example:{secure.port}/")

    assert trusting().get(f"http://good.example:{plain.port}/").url == f"https://good.example:{secure.port}/"

    secure.handler = redirect(f"http://good.example:{plain.port}/")
    plain.requests.clear()
    with fails("redirect"):
        trusting().get(f"https://good.example:{secure.port}/")
    assert plain.requests == []
