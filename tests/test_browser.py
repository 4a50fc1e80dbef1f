"""The site in a real browser: the way in, and the frame of every page."""

import re

import pytest
from playwright.sync_api import Page, expect

from readiness.enums.words import RunReason, RunState
from readiness.models import Run
from tests.browser import SignedIn
from tests.factories import NOW, PASSWORD, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.only_on("postgresql")


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


@pytest.mark.parametrize("width", [390, 1280])
def test_facts_are_set_in_lines_and_not_in_letters(signed_in: SignedIn, width: int) -> None:
    member = make_member(make_team(), "ada")
    environment = make_environment(make_service(member.teams.get(), by=member), by=member)
    facts = {
        "declared": "400.00",
        "source": "https://finance.example.ca/caps",
        "name": "email-drafts-prod",
        "found": True,
    }
    Run.objects.create(
        environment=environment,
        probe="spend-cap",
        state=RunState.DONE,
        reason=RunReason.SCHEDULED,
        queued_at=NOW,
        due_at=NOW,
        finished_at=NOW,
        facts=facts,
    )
    page = signed_in(member, viewport={"width": width, "height": 900})
    page.goto(f"{environment.get_absolute_url()}items/spend-cap/?tab=runs")
    values = page.locator(".panel .facts dd")
    expect(values).to_have_count(len(facts))
    boxes = [box for box in (value.bounding_box() for value in values.all()) if box]
    assert max(box["height"] for box in boxes) < 60
