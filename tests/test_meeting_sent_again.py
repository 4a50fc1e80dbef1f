"""What a page of a meeting sends again is done once, whatever happened meanwhile, and never in another's name."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import reviews
from readiness.models import Decision, Environment, MeetingNote, Review, User
from readiness.selectors.meetings import order_of
from tests.deeds import plan_review, settle, take_back
from tests.factories import item_of, make_environment, make_member, make_reviewer
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def dev() -> Environment:
    return make_environment(name="dev", kind="dev", now=timezone.now())


@pytest.fixture
def review(ada: User, dev: Environment) -> Review:
    return plan_review(dev, by=ada, now=timezone.now())


@pytest.fixture
def page(client: Client, ada: User, review: Review) -> Client:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    client.post(reverse("meeting-open", args=[review.pk]))
    return client


def sent(page: Client, review: Review, what: str, **given: Any) -> Any:
    return page.post(reverse(f"meeting-{what}", args=[review.pk]), given, headers={"hx-request": "true"})


def test_a_decision_that_had_arrived_is_told_though_the_sheet_moved_and_the_review_was_closed(
    page: Client, review: Review, ada: User, dev: Environment
) -> None:
    mia = make_member(dev.service.team, "mia")
    settle(dev, mia, now=timezone.now())
    form = {"line": dev.pk, "kind": "go", "key": "k1", "dissents": 0, "person": ada.pk}
    assert sent(page, review, "decide", **form).status_code == 200
    made = Decision.objects.get()
    take_back(mia, item_of(dev, "logs-redacted"), now=timezone.now())
    before = sent(page, review, "decide", **form)
    reviews.close(by=ada, review_id=review.pk, now=timezone.now())
    after = sent(page, review, "decide", **form)
    for answer in (before, after):
        assert answer.status_code == 200
        assert "Go for" in words(answer)
    assert Decision.objects.get() == made
    assert sent(page, review, "decide", **{**form, "key": "\0"}).status_code == 422
    assert order_of(review, timezone.now()) == [dev.pk]


@pytest.mark.parametrize("what", ["decide", "note"])
def test_what_somebody_else_wrote_in_this_browser_is_refused(
    page: Client, review: Review, dev: Environment, what: str
) -> None:
    form = {"line": dev.pk, "kind": "no-go", "text": "Ask the vendor.", "key": "k1", "person": make_reviewer("bo").pk}
    answer = sent(page, review, what, **form)
    assert answer.status_code == 403
    assert "Somebody else was signed in here when this was written." in words(answer)
    assert not Decision.objects.exists()
    assert not MeetingNote.objects.exists()
