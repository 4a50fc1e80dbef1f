"""The site in a real browser: the way in, and the frame of every page."""

import re

from playwright.sync_api import Page, expect

from tests.browser import SignedIn
from tests.factories import PASSWORD, make_member, make_team


def test_a_person_signs_in_with_name_and_password(page: Page) -> None:
    make_member(make_team(), "ada")
    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_signed_in_person_sees_the_overview(signed_in: SignedIn) -> None:
    page = signed_in(make_member(make_team(), "ada"))
    page.goto("/")
    expect(page.get_by_text("ada").first).to_be_visible()
