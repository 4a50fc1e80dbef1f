"""How a person gets through a page: with a pointer, by keyboard alone, or with a pointer where no script runs.

Each is told what to do in the same words, so that a job is written once. ``Keyboard`` presses keys and nothing else:
what Tab does not reach, or a key of the product does not do, it cannot do either.
"""

import re
from abc import ABC, abstractmethod
from datetime import date

from playwright.sync_api import Locator, Page, expect

ACTS = {
    "tick": ("evidence", "x", "#tick-{}"),
    "add evidence": ("evidence", "e", "#tick-{}"),
    "take back": ("evidence", "x", "#take-back-{}"),
    "waiver": ("waiver", "w", "#waiver-{}"),
    "comment": ("comments", "c", "#comment-form-{}"),
    "run": ("runs", "r", "#run-actions-{}"),
}
"""What is done to an item: the tab where its form stands, the sheet's own key for it, and the form."""


class Hands(ABC):
    """Somebody at a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> None:
        """Open an address that somebody has: a bookmark, or a link that was sent."""
        self.page.goto(address)

    @abstractmethod
    def press(self, target: Locator) -> None:
        """Press a link, a button or what unfolds something."""

    @abstractmethod
    def write(self, field: Locator, text: str) -> None:
        """Write into a field in place of what stands there."""

    @abstractmethod
    def choose(self, field: Locator, option: str) -> None:
        """Choose from a list by its words."""

    @abstractmethod
    def check(self, box: Locator) -> None:
        """Choose a box or one of several."""

    @abstractmethod
    def set_day(self, field: Locator, day: date) -> None:
        """Enter a date."""

    @abstractmethod
    def send(self, button: Locator) -> None:
        """Send the form that was just written."""

    @abstractmethod
    def begin(self, act: str, slug: str) -> Locator:
        """On a sheet, go to where something is done to an item; return its form. A run has begun by then."""

    @abstractmethod
    def choose_several(self, slugs: list[str], then: str) -> None:
        """On a sheet, select items and go on to what is done to them."""

    def await_scripts(self, target: Locator) -> None:
        """Wait for a page and for its scripts: before that, the link of an item leads to a page of its own."""
        expect(target).to_be_visible()
        self.page.wait_for_load_state()

    def unfold(self, details: Locator) -> None:
        """Open what is folded."""
        self.await_scripts(details)
        if details.get_attribute("open") is None:
            self.press(details.locator("> summary"))
        expect(details).to_have_attribute("open", "")


class Mouse(Hands):
    """With a pointer, and keys for letters."""

    def press(self, target: Locator) -> None:
        self.await_scripts(target)
        target.click()

    def write(self, field: Locator, text: str) -> None:
        field.click()
        field.fill(text)

    def choose(self, field: Locator, option: str) -> None:
        field.select_option(label=option)

    def check(self, box: Locator) -> None:
        box.check()

    def set_day(self, field: Locator, day: date) -> None:
        field.fill(day.isoformat())

    def send(self, button: Locator) -> None:
        self.press(button)

    def begin(self, act: str, slug: str) -> Locator:
        tab, _, form = ACTS[act]
        self._open_item(slug)
        leads = self.page.locator(f"#tab-{slug}-{tab}")
        self.await_scripts(leads)
        if leads.get_attribute("aria-current") is None:
            self.press(leads)
        expect(leads).to_have_attribute("aria-current", "true")
        found = self.page.locator(form.format(slug))
        if act == "run":
            self.press(found.get_by_role("button"))
        elif act != "comment":
            self.unfold(found)
        return found

    def _open_item(self, slug: str) -> None:
        if not self.page.locator(f"#detail-{slug} .panel").is_visible():
            self.press(self.page.locator(f"#open-{slug}"))
        expect(self.page.locator(f"#detail-{slug} .panel")).to_be_visible()

    def choose_several(self, slugs: list[str], then: str) -> None:
        self.press(self.page.get_by_role("button", name="Select several"))
        for slug in slugs:
            self.check(self.page.locator(f"#item-{slug} .pick"))
        self.press(self.page.get_by_role("button", name=then))


class NoScript(Mouse):
    """With a pointer where no script runs: an item is a page, from which its sheet is one step away."""

    def _open_item(self, slug: str) -> None:
        if self.page.locator(f"#detail-{slug}").count() == 0:
            self.press(self.page.locator(".crumbs a[href*='#item-']"))
        if not self.page.locator(f"#detail-{slug} .panel").is_visible():
            self.press(self.page.locator(f"#open-{slug}"))
        expect(self.page).to_have_url(re.compile(f"/items/{slug}/"))

    def choose_several(self, slugs: list[str], then: str) -> None:  # The page for several has all acts.
        if self.page.locator(".crumbs a[href*='#item-']").count():
            self.press(self.page.locator(".crumbs a[href*='#item-']"))
        self.press(self.page.get_by_role("link", name="Select several"))
        for slug in slugs:
            self.check(self.page.locator(f"[name=item][value={slug}]"))


WHERE = """(target) => {
    const at = document.activeElement;
    if (at === target) return "here";
    if (!at || at === document.body) return "nowhere";
    return at.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_PRECEDING ? "behind" : "ahead";
}"""
SEEN = """(target) => {
    const box = target.getBoundingClientRect();
    return target.matches(":focus-visible") && box.bottom > 0 && box.top < innerHeight;
}"""
MOST_STOPS = 250
"""More presses of the Tab key than that nobody makes to get anywhere."""


class Keyboard(Hands):
    """By keyboard alone: Tab, Enter, Space, arrows, letters and the product's own keys."""

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.keys = page.keyboard

    def reach(self, target: Locator) -> None:
        """Go there by Tab, past the bar where a page has just come; it says where one is, and is in sight."""
        self.await_scripts(target)
        if target.evaluate(WHERE) == "nowhere" and target.evaluate("(target) => Boolean(target.closest('main'))"):
            self.keys.press("Tab")
            if self.page.get_by_role("link", name="Skip to the page").evaluate(WHERE) == "here":
                self.keys.press("Enter")
        for _ in range(MOST_STOPS):
            where = target.evaluate(WHERE)
            if where == "here":
                assert target.evaluate(SEEN), "Nobody sees where the keys are."
                return
            self.keys.press("Shift+Tab" if where == "behind" else "Tab")
        raise AssertionError(f"Tab does not lead to {target}.")

    def press(self, target: Locator) -> None:
        self.reach(target)
        self.keys.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        self.reach(field)
        self.keys.press("Control+a")
        self.keys.type(text)
        expect(field).to_have_value(text)

    def choose(self, field: Locator, option: str) -> None:
        self.reach(field)
        self.keys.type(option)
        expect(field.locator("option:checked")).to_have_text(option)

    def check(self, box: Locator) -> None:
        self.reach(box)
        self.keys.press("Space")
        expect(box).to_be_checked()

    def set_day(self, field: Locator, day: date) -> None:
        self.reach(field)
        self.keys.type(f"{day:%m%d%Y}")
        expect(field).to_have_value(day.isoformat())

    def send(self, button: Locator) -> None:
        if self.page.evaluate("document.activeElement.matches('form[data-words] textarea')"):
            self.keys.press("Control+Enter")
        else:
            self.press(button)

    def begin(self, act: str, slug: str) -> Locator:
        self.await_scripts(self.page.locator(f"#open-{slug}"))
        _, key, form = ACTS[act]
        if self.page.locator("[data-detail] .panel").count():
            expect(self.page.locator(":focus"), "What was done last has lost the place.").to_have_count(1)
        self._move_to(slug)
        self.keys.press(key)
        found = self.page.locator(form.format(slug))
        if act == "run":
            expect(found).to_be_visible()
        else:
            expect(found.locator("input:not([type=hidden]), textarea, select").first).to_be_focused()
        return found

    def _move_to(self, slug: str) -> None:
        if self.page.evaluate("document.activeElement.matches('input:not([type=checkbox]), textarea, select')"):
            self.keys.press("Escape")
        opener = self.page.locator(f"#open-{slug}")
        for _ in range(MOST_STOPS):
            where = opener.evaluate(WHERE)
            if where == "here":
                return
            self.keys.press("k" if where == "behind" else "j")
        raise AssertionError(f"The keys do not lead to {slug}.")

    def choose_several(self, slugs: list[str], then: str) -> None:
        self.await_scripts(self.page.locator(f"#open-{slugs[0]}"))
        for slug in slugs:
            self._move_to(slug)
            self.keys.press("s")
        expect(self.page.locator("[data-pick-count]")).to_have_text(f"{len(slugs)} selected")
        self.press(self.page.get_by_role("button", name=then))
