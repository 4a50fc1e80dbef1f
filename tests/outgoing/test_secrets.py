"""Where a key may go, and that no error tells it."""

import ssl
import threading
import traceback

import pytest

from checks.http import ClientPolicy, ProbeClient, RequestFailed
from checks.keys import Secret
from tests.outgoing.listeners import CANARY, Handler, Listen, Trusting, a_bug, answers, fails, policy, redirect


def test_a_secret_goes_to_a_key_host_over_tls(listen: Listen, tls: ssl.SSLContext, trusting: Trusting) -> None:
    server = listen(tls=tls)
    client = trusting(key_hosts=(f"Good.Example:{server.port}",))
    secret = {"Authorization": Secret(f"Bearer {CANARY}")}

    assert client.get(f"https://good.example:{server.port}/", secret_headers=secret).status == 200
    assert f"authorization: Bearer {CANARY}\r\n" in server.requests[0]


@pytest.mark.parametrize("entry", ["good.example", "good.example:1", "other.example:{port}", "example:{port}", ""])
def test_a_secret_goes_to_no_other_host_or_port(
    entry: str, listen: Listen, tls: ssl.SSLContext, trusting: Trusting
) -> None:
    server = listen(tls=tls)
    client = trusting(key_hosts=(entry.format(port=server.port),))
    with fails("not-a-key-host"):
        client.get(f"https://good.example:{server.port}/", secret_headers={"authorization": Secret(CANARY)})
    assert server.saw_no_connection()


def test_a_key_host_without_a_port_means_443() -> None:
    client = ProbeClient(ClientPolicy(key_hosts=("k.example",)), deadline_s=60, resolve=answers("10.0.0.1"))
    secret = {"authorization": Secret(CANARY)}
    with fails("refused-address"):
        client.get("https://k.example/", secret_headers=secret)
    for url in ("http://k.example/", "https://k.example:8443/", "https://k.example./", "https://a.k.example/"):
        with fails("not-a-key-host"):
            client.get(url, secret_headers=secret)


def test_a_secret_in_the_clear_needs_every_address_in_an_allowed_network(listen: Listen) -> None:
    server = listen()
    rules = policy(f"127.0.0.1:{server.port}", key_hosts=(f"k.example:{server.port}",))
    url, secret = f"http://k.example:{server.port}/", {"authorization": Secret(CANARY)}

    ProbeClient(rules, deadline_s=60, resolve=answers("127.0.0.1")).get(url, secret_headers=secret)
    assert CANARY in server.requests[0]

    # 192.0.9.1 is a public address: it may be called, and is never dialled here because the rule comes first.
    for addresses in (["127.0.0.1", "192.0.9.1"], ["192.0.9.1", "127.0.0.1"], ["192.0.9.1"]):
        with fails("plain-http"):
            ProbeClient(rules, deadline_s=60, resolve=answers(*addresses)).get(url, secret_headers=secret)
    assert len(server.requests) == 1


@pytest.mark.parametrize("follow_redirects", [0, 3])
def test_a_redirect_is_the_answer_to_a_request_with_a_secret(follow_redirects: int, listen: Listen) -> None:
    other = listen()
    server = listen(redirect(f"http://127.0.0.1:{other.port}/"))
    rules = policy("127.0.0.1", key_hosts=(f"127.0.0.1:{server.port}", f"127.0.0.1:{other.port}"))

    answer = ProbeClient(rules, deadline_s=60).get(
        f"http://127.0.0.1:{server.port}/",
        secret_headers={"authorization": Secret(CANARY)},
        follow_redirects=follow_redirects,
    )

    assert answer.status == 302
    assert other.saw_no_connection()


def echo_as(template: str) -> Handler:
    """A server that answers with what it was sent, where an error message could pick it up."""
    return lambda sock, request: sock.sendall(template.replace("{}", CANARY).encode())


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (echo_as("{}\r\n\r\n"), "protocol"),
        (echo_as("HTTP/1.1 200 OK\r\n{}\r\n\r\n"), "protocol"),
        (echo_as("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n"), "protocol"),
        (echo_as("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nX: {}\r\n\r\nx"), "undecodable"),
        (echo_as("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n{}"), "undecodable"),
        (echo_as("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n"), "protocol"),
        (echo_as("HTTP/1.1 200 OK\r\n\r\n" + "{}" * 100), "too-large"),
        (lambda sock, request: None, "protocol"),
        (lambda sock, request: threading.Event().wait(5) and None, "timeout"),
    ],
)
def test_no_error_holds_the_secret_anywhere(handler: Handler, code: str, listen: Listen) -> None:
    server = listen(handler)
    rules = policy("127.0.0.1", key_hosts=(f"127.0.0.1:{server.port}",))
    client = ProbeClient(rules, deadline_s=1 if code == "timeout" else 60)

    with pytest.raises(RequestFailed) as raised:
        client.get(
            f"http://127.0.0.1:{server.port}/",
            secret_headers={"authorization": Secret("Bearer " + CANARY)},
            max_bytes=1000,
        )

    assert raised.value.code == code
    assert CANARY in server.requests[0]
    assert CANARY not in told_by(raised.value)


def test_not_even_a_bug_of_ours_or_an_unsendable_key_tells_the_secret() -> None:
    rules = policy("127.0.0.1", key_hosts=("127.0.0.1:443",))
    with pytest.raises(RuntimeError, match=r"^KeyError in .*, line \d+$") as bug:
        ProbeClient(rules, deadline_s=1, resolve=a_bug).get(
            "https://127.0.0.1/", secret_headers={"authorization": Secret(CANARY)}
        )
    assert CANARY not in told_by(bug.value)
    for spoiled in (f"{CANARY}\r\nX: y", f"{CANARY}\n", f"{CANARY}\u00e9", f" {CANARY}"):
        with fails("bad-header") as caught:
            ProbeClient(rules, deadline_s=1).get("https://127.0.0.1/", secret_headers={"x-key": Secret(spoiled)})
        assert CANARY not in told_by(caught[0])


def told_by(error: BaseException) -> str:
    """All that an error could put in a log: its texts, its chain, and every local name of every frame of ours it holds.

    Frames of the test itself are left out, since they wrote the canary down.
    """
    told: list[str] = []
    todo: list[BaseException | None] = [error]
    while todo:
        at = todo.pop()
        if at is None:
            continue
        todo += [at.__cause__, at.__context__]
        told += [repr(at), str(at), repr(at.args), repr(vars(at)), *traceback.format_exception(at)]
        for frame, _ in traceback.walk_tb(at.__traceback__):
            if frame.f_code.co_filename != __file__:
                told += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
                told += [repr(vars(value)) for value in frame.f_locals.values() if hasattr(value, "__dict__")]
    return "\n".join(told)


@pytest.mark.parametrize("name", ["Host", "Content-Length", "transfer-encoding", "Connection", "", "a b", "a:b"])
def test_a_probe_may_not_set_the_headers_that_frame_a_request(name: str) -> None:
    with fails("bad-header"):
        ProbeClient(ClientPolicy(), deadline_s=1).get("https://example.com/", headers={name: "x"})
