"""Every page in a real browser: axe finds nothing in either scheme, and each looks as it is kept in ``tests/looks``.

The clock stands still and the fonts are the product's own. ``LOOKS=keep`` keeps pictures anew where they differ;
docs/testing.md says how to look at them.
"""

import os
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Page

from tests import looks, pages_world
from tests.browser import NewContext, SignedIn
from tests.pages_world import FROZEN, World
from tests.test_permissions import TABLE
from tests.untranslated import left_in_english

pytestmark = [pytest.mark.only_on("sqlite"), pytest.mark.timeout(600)]

NOT_LOOKED_AT = {
    "healthz": "one word for a load balancer",
    "readyz": "JSON for a load balancer",
    "api-document": "JSON for programs",
    "ledger-export": "a file",
    "overview-export": "a file",
    "import-template": "a file",
    "checklist-version": "the text of a version as a file",
    "calendar-file": "a file",
    "decision-pack-file": "a file",
    "minutes-file": "a file",
    "sheet-live": "parts of the sheet",
    "meeting-live": "parts of the meeting",
    "admin-door": "leads to Django's admin",
}
"""Addresses that answer a person and are no page of ours, each with why."""

HEIGHT, WIDTHS = 900, (390, 1280, 1920)
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
"""What a colour scheme can break; the other rules do not look at colours."""


@pytest.fixture
def world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    return pages_world.tell(monkeypatch)


@pytest.fixture
def page_of(signed_in: SignedIn, new_context: NewContext, world: World) -> Callable[..., Page]:
    """Open a page as whoever looks at it; one browser context for each person."""
    opened: dict[str, Page] = {}

    def open_page(name: str) -> Page:
        who, address = world.pages[name]
        if who not in opened:
            at_rest = {"reduced_motion": "reduce", "bypass_csp": True}
            opened[who] = signed_in(world.people[who], **at_rest) if who else new_context(**at_rest).new_page()
            opened[who].clock.set_fixed_time(FROZEN)
        answer = opened[who].goto(address)
        assert answer is not None
        assert answer.status == (404 if name == "nothing there" else 200), f"{name}: {answer.status}"
        return opened[who]

    return open_page


def test_everybody_can_use_every_page_and_each_looks_as_it_is_kept(page_of: Callable[..., Page], world: World) -> None:
    """One visit a page, for the story is long to tell: axe in both schemes, a picture at each width, and French."""
    answering = {name for name, (got, _) in TABLE.items() if 200 in got}
    looked_at = {name.split(",")[0].split(" ")[0] for name in world.pages} - {"nothing"}
    assert sorted(answering - looked_at - set(NOT_LOOKED_AT)) == []
    broken, differing, english = [], [], []
    known = pages_world.written()
    for name in world.pages:
        page = page_of(name)
        page.set_viewport_size({"width": 1280, "height": HEIGHT})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options=OPTIONS if scheme == "light" else COLOURS).response["violations"]
            broken += [f"{name}, {scheme}: {one['id']} at {node['target']}" for one in found for node in one["nodes"]]
        page.emulate_media(color_scheme="light")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                differing.append(f"{name} is {wide} px wide at {width} px")
            differing += [f"{name} at {width} px: {cut}" for cut in cut_off(page)]
            taken, kept = looks.take(page), looks.path(name, width)
            if os.environ.get("LOOKS") == "keep":
                looks.keep(taken, kept)
            elif difference := looks.difference(taken, kept):
                differing.append(f"{name} at {width} px: {difference}")
        english += in_french(page, name, known)
    assert not broken, "\n".join(broken)
    assert not differing, "\n".join(differing)
    assert not english, "\n".join(english)


def in_french(page: Page, name: str, known: list[str]) -> list[str]:
    """Return what a page has in English when it is asked for in French, and where it or a table is too wide then."""
    address, context = page.url, page.context
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": "fr-ca", "url": address}])
    page.set_viewport_size({"width": 390, "height": HEIGHT})
    page.goto(address)
    said = [f"{name}, in French: {text}" for text in left_in_english(page.content(), known=known)]
    wide = page.evaluate("document.documentElement.scrollWidth")
    for width in WIDTHS[1:]:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        said += [f"{name} in French at {width} px: {cut}" for cut in cut_off(page)]
    context.clear_cookies(name=settings.LANGUAGE_COOKIE_NAME)
    return [*said, f"{name} is {wide} px wide in French, at 390 px"] if wide > 390 else said


def cut_off(page: Page) -> list[str]:
    """Return the tables of a page that are wider than what they stand in, so that columns are out of sight."""
    tables = page.locator(".table-card:not(.heat-region)").evaluate_all(
        "cards => cards.map((card) => [card.scrollWidth, card.clientWidth])"
    )
    return [f"a table is {inside} px wide in {outside}" for inside, outside in tables if inside > outside + 1]
