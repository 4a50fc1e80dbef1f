"""A reader of the stream that open pages follow, in a thread of its own."""

import json
import threading
from typing import Any

import httpx
from django.conf import settings

from readiness.models import User
from tests.browser import session_of
from tests.servers.waiting import eventually

WAITS_S = 60.0


class Follower:
    """One open stream. ``ids`` and ``said`` grow while it is read; ``over`` is set once it ended, by either side."""

    def __init__(self, base: str, session: str, *, last: int | None = None, since: int | None = None) -> None:
        self.ids: list[int] = []
        self.said: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.headers: httpx.Headers | None = None
        self.status = 0
        self.over = threading.Event()
        self._leaving = threading.Event()
        self._asked = f"{base}/live/" + ("" if since is None else f"?since={since}")
        self._headers = {} if last is None else {"Last-Event-ID": str(last)}
        self._cookies = {settings.SESSION_COOKIE_NAME: session}
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        eventually(lambda: self.lines or self.over.is_set(), WAITS_S, what="the stream begins")

    def _read(self) -> None:
        try:
            with (
                httpx.Client(cookies=self._cookies, headers=self._headers, timeout=WAITS_S) as http,
                http.stream("GET", self._asked) as answer,
            ):
                self.status, self.headers = answer.status_code, answer.headers
                number = 0
                for line in answer.iter_lines():
                    self.lines.append(line)
                    if line.startswith("id: "):
                        number = int(line[4:])
                    elif line.startswith("data: "):
                        self.said.append(json.loads(line[6:]))
                        self.ids.append(number)
                    if self._leaving.is_set():
                        break
        except httpx.HTTPError:
            pass
        finally:
            self.over.set()

    def wait_for(self, identity: int) -> None:
        """Return once it has been told of an event."""
        eventually(lambda: identity in self.ids, WAITS_S, what=f"event {identity} in {self.ids[-5:]}")

    def leave(self) -> None:
        """Close it at the next line."""
        self._leaving.set()


def follower(base: str, person: User, *, last: int | None = None, since: int | None = None) -> Follower:
    """Open a stream as a person."""
    return Follower(base, session_of(person), last=last, since=since)
