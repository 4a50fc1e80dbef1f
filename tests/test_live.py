"""The stream that open pages follow, at a real web server: nothing lost, nothing twice, nothing held."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.db import connection, connections, transaction
from django.utils import timezone

from readiness.actions import ledger
from readiness.live import hub
from readiness.models import Environment, Event, User
from readiness.rules.following import RELOAD
from readiness.views import live
from tests.browser import session_of
from tests.factories import make_environment, make_person
from tests.follower import WAITS_S, Follower, follower
from tests.servers.pool import held_of_the_pool
from tests.servers.site import LiveSite
from tests.servers.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_person("mia")


def write(mia: User, *, environment: Environment | None = None, kind: str = "test.moved") -> int:
    """Write one event and return its number."""
    with transaction.atomic():
        service = environment.service if environment else None
        return ledger.record(kind, by=mia, at=timezone.now(), service=service, environment=environment).pk


def written(mia: User, many: int) -> list[int]:
    return [write(mia) for _ in range(many)]


def test_a_stream_says_where_something_moved_and_resumes_without_loss_or_double(
    live_site: LiveSite, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "BEAT_EVERY_S", 0.2)
    monkeypatch.setattr(hub, "RING", 5)
    monkeypatch.setattr(hub, "TOO_FAR", 20)
    prod = make_environment(name="prod")
    drawn = write(mia)
    first = follower(live_site.url, mia, since=drawn)
    assert first.headers is not None
    assert first.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert {"no-cache", "no-transform", "private"} <= {one.strip() for one in first.headers["Cache-Control"].split(",")}
    assert first.headers["X-Accel-Buffering"] == "no"
    assert first.lines[:4] == ["retry: 2000", f"id: {drawn}", "", ": following"]
    moved = write(mia, environment=prod, kind="item.ticked")
    first.wait_for(moved)
    assert first.said == [{"service": prod.service.slug, "environment": "prod", "kind": "item.ticked"}]
    eventually(lambda: ": still here" in first.lines, WAITS_S, what="a heart-beat")
    first.leave()
    assert first.over.wait(WAITS_S)

    missed = written(mia, 12)
    from_ring = follower(live_site.url, mia, last=missed[-3])
    from_database = follower(live_site.url, mia, last=moved)
    lost = follower(live_site.url, mia, last=moved - 5, since=missed[-1])
    more = written(mia, 2)
    for one in (from_ring, from_database, lost):
        one.wait_for(more[-1])
    assert from_ring.ids == missed[-2:] + more
    assert from_database.ids == missed + more
    assert lost.ids == list(range(moved - 4, more[-1] + 1)), "The header says more than the address."

    lost.wait_for(written(mia, 10)[-1])  # So the hub knows of it, and not only the ledger.
    far = follower(live_site.url, mia, last=moved)
    ahead = follower(live_site.url, mia, since=10**9)
    newest = Event.objects.latest("id").pk
    for one in (far, ahead):
        one.wait_for(newest)
        assert [said["kind"] for said in one.said] == [RELOAD]
        assert one.ids == [newest]


def test_forty_streams_miss_nothing_and_hear_nothing_twice_while_many_write(live_site: LiveSite, mia: User) -> None:
    start = write(mia)
    session = session_of(mia)
    followers = [Follower(live_site.url, session, since=start) for _ in range(40)]

    def many(_writer: int) -> None:
        try:
            written(mia, 25)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as writers:
        list(writers.map(many, range(6)))
    last = start + 150
    for one in followers:
        one.wait_for(last)
        assert one.ids == list(range(start + 1, last + 1))


def test_a_session_that_ends_ends_its_streams_and_no_other(
    live_site: LiveSite, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SESSIONS_EVERY_S", 0.2)
    monkeypatch.setattr(hub, "LOOK_ANYWAY_EVERY_S", 0.2)
    gone, left, other = make_person("gone"), make_person("left"), make_person("other")
    signed_out = session_of(mia)
    ending = [Follower(live_site.url, signed_out), follower(live_site.url, gone), follower(live_site.url, left)]
    staying = [follower(live_site.url, mia), follower(live_site.url, other)]
    Session.objects.filter(session_key=signed_out).delete()
    User.objects.filter(pk=gone.pk).update(is_active=False)
    left.set_password("another one of some length")
    left.save()
    for one in ending:
        assert one.over.wait(WAITS_S)
    moved = write(mia)
    for one in staying:
        one.wait_for(moved)
        assert not one.over.is_set()


def test_strangers_and_those_who_come_when_it_is_full_get_no_stream(
    live_site: LiveSite, mia: User, settings: object
) -> None:
    assert httpx.get(f"{live_site.url}/live/").status_code == 401
    settings.LIVE_STREAMS = 2  # type: ignore[attr-defined]
    both = [follower(live_site.url, mia) for _ in range(2)]
    refused = follower(live_site.url, mia)
    assert refused.over.wait(WAITS_S)
    assert refused.status == 503
    assert refused.headers is not None
    assert refused.headers["Retry-After"] == "60"
    both[0].leave()
    written(mia, 1)
    assert both[0].over.wait(WAITS_S)
    eventually(lambda: follower(live_site.url, mia).status == 200, WAITS_S, what="a place is free")
    settings.LIVE_STREAMS = 6  # type: ignore[attr-defined]
    session = session_of(mia)
    with ThreadPoolExecutor(20) as readers:
        at_once = list(readers.map(lambda _: Follower(live_site.url, session), range(20)))
    assert sorted(one.status for one in at_once) == [200] * 4 + [503] * 16
    settings.LIVE_STREAMS = 0  # type: ignore[attr-defined]
    assert follower(live_site.url, mia).status == 204


def test_one_person_holds_a_few_streams_and_leaves_the_rest_to_others(
    live_site: LiveSite, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_OF_ONE", 3)
    sessions = [session_of(mia) for _ in range(3)]
    held = [Follower(live_site.url, session) for session in sessions]
    refused = follower(live_site.url, mia)
    assert refused.over.wait(WAITS_S)
    assert refused.status == 429
    other = follower(live_site.url, make_person("other"))
    moved = write(mia)
    for one in (*held, other):
        one.wait_for(moved)
    held[0].leave()
    write(mia)
    eventually(lambda: follower(live_site.url, mia).status == 200, WAITS_S, what="a place is free")


@pytest.mark.only_on("postgresql")
def test_open_streams_hold_no_connection_and_the_one_that_listens_comes_back(
    live_site: LiveSite, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOOK_ANYWAY_EVERY_S", 3600.0)
    before = held_of_the_pool()
    session = session_of(mia)
    followers = [Follower(live_site.url, session) for _ in range(20)]
    moved = write(mia)
    for one in followers:
        one.wait_for(moved)
    eventually(lambda: held_of_the_pool() <= before, WAITS_S, what="no connection is held")
    eventually(lambda: len(_listeners()) == 1, WAITS_S, what="one listens")
    (listener,) = _listeners()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [listener])
    lost = write(mia)
    for one in followers:
        one.wait_for(lost)
    eventually(lambda: [pid for pid in _listeners() if pid != listener], WAITS_S, what="another listens")
    again = write(mia)
    for one in followers:
        one.wait_for(again)
        assert one.ids == [moved, lost, again]


def _listeners() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'readiness live'")
        return [pid for (pid,) in cursor.fetchall()]
