"""Where the outgoing client may connect: a real listener that must see nothing."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from checks.http import ClientPolicy, ProbeClient, RequestFailed
from tests.outgoing.listeners import Listen, answers, fails, get, policy, redirect


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0x7f000001",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[::1]",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    ],
)
def test_no_way_of_writing_this_machine_reaches_it(host: str, listen: Listen) -> None:
    server = listen(address="::1") if host in {"[::]", "[::1]"} else listen()
    with socket.create_connection((host.strip("[]"), server.port), timeout=60):
        pass
    assert server.served.acquire(timeout=60)  # The trap is real: a plain connection gets there.
    server.requests.clear()

    with pytest.raises(RequestFailed) as raised:
        ProbeClient(ClientPolicy(), deadline_s=60).get(f"http://{host}:{server.port}/")

    assert raised.value.code in {"refused-address", "bad-url"}
    assert server.saw_no_connection()


@pytest.mark.parametrize("name", ["localhost.", "good.example", "good.example.", "8.8.8.8.example"])
def test_a_name_is_judged_by_its_address_whatever_it_looks_like(name: str, listen: Listen) -> None:
    server = listen()
    with fails("refused-address"):
        ProbeClient(ClientPolicy(), deadline_s=60, resolve=answers("127.0.0.1")).get(f"http://{name}:{server.port}/")
    assert server.saw_no_connection()


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "[::ffff:0.0.0.0]", "0"])
def test_the_unspecified_address_is_no_way_round_an_allowed_loopback(host: str, listen: Listen) -> None:
    server = listen()
    with fails("refused-address"):
        ProbeClient(policy("0.0.0.0/0", "::/0"), deadline_s=60).get(f"http://{host}:{server.port}/")
    assert server.saw_no_connection()


def test_one_refused_address_among_good_ones_refuses_the_name(listen: Listen) -> None:
    good = listen()
    bad = listen(address="127.0.0.2", port=good.port)
    for mixed in (["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "169.254.169.254"]):
        with fails("refused-address"):
            ProbeClient(policy("127.0.0.1"), deadline_s=60, resolve=answers(*mixed)).get(
                f"http://x.example:{good.port}"
            )
    assert good.saw_no_connection()
    assert bad.saw_no_connection()


def test_a_name_that_changes_its_address_is_asked_once_and_dialled_where_it_was_vetted(
    listen: Listen,
) -> None:
    good = listen()
    bad = listen(address="127.0.0.2", port=good.port)
    flips = iter(["127.0.0.1", "127.0.0.2"])

    def resolve(host: str, port: int, *rest: int) -> Sequence[tuple[Any, ...]]:
        return answers(next(flips))(host, port)

    client = ProbeClient(policy("127.0.0.1"), deadline_s=60, resolve=resolve)
    assert client.get(f"http://flip.example:{good.port}/").status == 200
    assert next(flips) == "127.0.0.2"
    assert len(good.requests) == 1
    assert bad.saw_no_connection()


def test_a_name_is_vetted_again_when_a_redirect_leads_back_to_it(listen: Listen) -> None:
    good = listen(redirect("/again"))
    bad = listen(address="127.0.0.2", port=good.port)
    flips = iter(["127.0.0.1", "127.0.0.2"])

    def resolve(host: str, port: int, *rest: int) -> Sequence[tuple[Any, ...]]:
        return answers(next(flips))(host, port)

    with fails("refused-address"):
        ProbeClient(policy("127.0.0.1"), deadline_s=60, resolve=resolve).get(f"http://flip.example:{good.port}/")
    assert len(good.requests) == 1
    assert bad.saw_no_connection()


@pytest.mark.parametrize("host", ["127.0.0.2", "2130706434", "[::ffff:127.0.0.2]", "127.2"])
def test_a_redirect_to_a_refused_address_is_not_followed(host: str, listen: Listen) -> None:
    bad = listen(address="127.0.0.2")
    good = listen(redirect(f"http://{host}:{bad.port}/"))
    with fails("refused-address"):
        get(good)
    assert bad.saw_no_connection()


def test_a_stream_is_vetted_too(listen: Listen) -> None:
    server = listen()
    with fails("refused-address"), ProbeClient(ClientPolicy(), deadline_s=60).stream(f"http://127.1:{server.port}/"):
        raise AssertionError("opened")
    assert server.saw_no_connection()


def test_an_allowed_network_opens_its_port_and_no_other(listen: Listen) -> None:
    server, other = listen(), listen()
    client = ProbeClient(policy(f"127.0.0.1:{server.port}"), deadline_s=60)
    assert client.get(f"http://127.0.0.1:{server.port}/").status == 200
    with fails("refused-address"):
        client.get(f"http://127.0.0.1:{other.port}/")
    assert other.saw_no_connection()


def test_the_second_vetted_address_is_tried_when_the_first_accepts_nothing(listen: Listen) -> None:
    server = listen(address="127.0.0.2")
    client = ProbeClient(policy("127.0.0.0/8"), deadline_s=60, resolve=answers("127.0.0.1", "127.0.0.2"))
    assert client.get(f"http://two.example:{server.port}/").status == 200


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), OSError("no route"), UnicodeError("label")])
def test_a_name_that_does_not_resolve_is_not_found(error: Exception) -> None:
    def resolve(host: str, *rest: int) -> Sequence[tuple[Any, ...]]:
        raise error

    with fails("name-not-found"):
        ProbeClient(ClientPolicy(), deadline_s=60, resolve=resolve).get("http://nowhere.example/")
    with fails("name-not-found"):
        ProbeClient(ClientPolicy(), deadline_s=60, resolve=answers()).get("http://nowhere.example/")


def test_a_port_where_nobody_listens_is_a_connect_failure(listen: Listen) -> None:
    server = listen()
    port = server.port
    server.close()
    with fails("connect") as caught:
        ProbeClient(policy("127.0.0.1"), deadline_s=60).get(f"http://127.0.0.1:{port}/")
    assert caught[0].sentence == f"127.0.0.1:{port} accepted no connection: Connection refused."
