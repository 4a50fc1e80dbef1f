"""A key that somebody pastes into a text is not kept, and not shown again."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.models import Comment, Evidence, NotApplicable, User, Waiver
from readiness.rules.texts import KEY_IN_TEXT, link_refusals, reason_refusals, summary_refusals
from tests.factories import item_of, make_environment, make_member, make_service, make_team

KEY = "qbt_live_4fK2mXw9Zr7TqLp0"
SENTENCE = f"We tried it with {KEY} and it worked as it should."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("item-tick", {"summary": SENTENCE, "links": ""}),
        ("item-tick", {"summary": "Seen on the dashboard.", "links": f"https://docs.example.ca/?key={KEY}"}),
        ("ask-waiver", {"reason": SENTENCE, "stance": "accept-risk"}),
        ("ask-not-applicable", {"reason": SENTENCE}),
        ("item-comment", {"text": SENTENCE}),
    ],
)
def test_a_pasted_key_is_refused_and_not_shown_again(client: Client, action: str, given: dict[str, str]) -> None:
    member: User = make_member(make_team(), "mia")
    environment = make_environment(make_service(member.teams.get(), by=member), by=member)
    item = item_of(environment, "store-false")
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    until = (timezone.localdate() + timedelta(days=5)).isoformat()
    address = reverse(action, args=[environment.service.slug, environment.name, "store-false"])
    answer = client.post(address, {"seen_version": item.version, "until": until, **given})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert KEY_IN_TEXT in html
    assert KEY not in html
    assert [model.objects.count() for model in (Evidence, Waiver, NotApplicable, Comment)] == [0, 0, 0, 0]


def test_every_text_rule_refuses_what_looks_like_a_key() -> None:
    assert reason_refusals(SENTENCE) == summary_refusals(SENTENCE) == link_refusals(SENTENCE) == [KEY_IN_TEXT]
    assert reason_refusals(SENTENCE.replace(KEY, "a key that begins with qbt_")) == []
