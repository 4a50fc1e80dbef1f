"""A person at the product over HTTP, as a browser without JavaScript would be."""

import re

import httpx
from django.conf import settings

from readiness.models import User
from tests.browser import session_of


class Visitor:
    """One signed-in person. Forms are fetched first, as people do, and sent with what they carried."""

    def __init__(self, base: str, person: User) -> None:
        cookies = {settings.SESSION_COOKIE_NAME: session_of(person)}
        self.http = httpx.Client(base_url=base, cookies=cookies, timeout=120)

    def get(self, path: str) -> httpx.Response:
        """Return a page."""
        return self.http.get(path)

    def post(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Send a form that ``page`` shows, with its hidden fields, to ``action``."""
        text = self.get(page).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        version = re.search(r'name="seen_version" value="(\d+)"', text)
        hidden = {"csrfmiddlewaretoken": token[1] if token else "", "seen_version": version[1] if version else ""}
        return self.http.post(action, data={**hidden, **fields})

    def tick(self, item: str, summary: str) -> httpx.Response:
        """Tick the item at this address."""
        return self.post(f"{item}?tab=evidence", f"{item}tick/", summary=summary, links="https://docs.example.ca/x")
