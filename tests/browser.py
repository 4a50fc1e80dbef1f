"""A real browser for tests: ``page`` for nobody, ``signed_in(person)`` for a person, both on the ``live_site``."""

import os
from collections.abc import Callable, Iterator
from re import Pattern

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from readiness.models import User
from tests import chromium
from tests.servers.site import LiveSite
from tests.servers.waiting import eventually

WAITS_MS = 60_000
EXPECTED = ("Failed to load resource", "htmx:sendError", "htmx:sendAbort", "htmx:afterRequest")
NewContext = Callable[..., BrowserContext]
SignedIn = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once a process. Its tests come last: Playwright's event loop stays in the thread.

    Django refuses database calls in a thread with a loop; the calls are the tests' own and nothing runs beside them.
    """
    program = chromium.find()
    if program is None:
        pytest.fail("The browser tests need Chromium: put chromium or google-chrome on PATH, or run `make test`.")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=WAITS_MS)
    try:
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(
                executable_path=program, chromium_sandbox=False, args=list(chromium.ARGUMENTS)
            )
            yield started
            started.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def live_site(transactional_db: None) -> Iterator[LiveSite]:
    """The product under ASGI, over the test database."""
    site = LiveSite()
    site.start()
    yield site
    site.stop()


@pytest.fixture
def new_context(browser: Browser, live_site: LiveSite) -> Iterator[NewContext]:
    """Open browser contexts on the site, with Playwright's options; an error of a script or a policy fails the test."""
    opened: list[BrowserContext] = []
    problems: list[str] = []

    def open_one(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=live_site.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(WAITS_MS)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        context.on("console", lambda said: problems.append(said.text) if _is_problem(said.type, said.text) else None)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert problems == []


def _is_problem(kind: str, text: str) -> bool:
    """Return whether a console message is an error of the page; that one was answered 4xx, lost or given up is not."""
    return kind == "error" and not text.startswith(EXPECTED)


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A page of somebody who is not signed in."""
    return new_context().new_page()


@pytest.fixture
def signed_in(new_context: NewContext, live_site: LiveSite) -> SignedIn:
    """Open a page as a person: ``signed_in(person, **options of the context)``."""

    def open_page(person: User, **options: object) -> Page:
        context = new_context(**options)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(person), "url": live_site.url}])
        return context.new_page()

    return open_page


def caught(page: Page, address: str | Pattern[str], press: Callable[[], object]) -> Route:
    """Do what asks for an address once, and return what was asked: it waits for its answer."""
    asked: list[Route] = []

    def catch(route: Route) -> None:
        if asked:
            return route.fallback()
        return asked.append(route)

    page.route(address, catch)  # It stays: without any, Playwright lets all go on that wait.
    press()
    eventually(lambda: page.evaluate("1") and asked, 60, what=f"{address} is asked for")
    return asked[0]


def session_of(person: User) -> str:
    """Return the key of a new session of a person."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    assert session.session_key
    return session.session_key
