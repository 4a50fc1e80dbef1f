"""What somebody with the database changes behind the product's back, and what notices. docs/ledger.md says the same."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, Value
from django.db.models.functions import Replace
from django.test import Client
from django.utils import timezone

from readiness.models import Decision, Event, Evidence, Item, User, Waiver
from readiness.rules.snapshots import hash_of
from tests.agreement import disagreements
from tests.deeds import ask, decide, decide_on, tick
from tests.factories import item_of, make_environment, make_member, make_reviewer
from tests.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def decision(client: Client) -> Decision:
    """A decision on a sheet with a tick and a waiver, with somebody signed in who reads it."""
    now = timezone.now()
    prod = make_environment(now=now)
    member, reviewer = make_member(prod.service.team), make_reviewer()
    tick(member, item_of(prod, "spend-cap"), now=now)
    decide(reviewer, ask(member, item_of(prod, "rotation-runbook"), now=now), now=now)
    made = decide_on(prod, reviewer, now=now)
    client.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")
    assert disagreements() == []
    return made


def shown(client: Client, decision: Decision) -> str:
    return words(client.get(decision.get_absolute_url()))


def test_a_decision_as_it_was_made_is_vouched_for(client: Client, decision: Decision) -> None:
    assert "the one that the ledger sealed" in shown(client, decision)


def test_a_snapshot_that_was_changed_is_not_shown(client: Client, decision: Decision) -> None:
    Decision.objects.update(snapshot=Replace(F("snapshot"), Value("open"), Value("verified")))
    assert "The snapshot was changed." in shown(client, decision)


def test_a_snapshot_that_was_changed_together_with_its_hash_is_not_shown(client: Client, decision: Decision) -> None:
    changed = decision.snapshot.replace("open", "verified")
    assert changed != decision.snapshot
    Decision.objects.update(snapshot=changed, hash=hash_of(changed))
    page = shown(client, decision)
    assert "The snapshot and its hash were changed." in page
    assert decision.hash in page
    assert "the one that the ledger sealed" not in page


def test_a_decision_whose_event_was_changed_too_is_not_vouched_for(client: Client, decision: Decision) -> None:
    changed = decision.snapshot.replace("open", "verified")
    event = Event.objects.get(kind="decision.made")
    text = event.text.replace(decision.hash, hash_of(changed))
    Event.objects.filter(pk=event.pk).update(text=text)
    Decision.objects.update(snapshot=changed, hash=hash_of(changed))
    assert "The ledger does not vouch for this snapshot." in shown(client, decision)
    with pytest.raises(CommandError, match="does not hold"):
        call_command("ledger", "verify")


@pytest.mark.parametrize(
    "change",
    [
        lambda: Evidence.objects.update(valid_until=F("valid_until") + timedelta(days=300)),
        lambda: Evidence.objects.update(clause="another"),
        lambda: Evidence.objects.update(supported=False),
        lambda: Waiver.objects.update(until=F("until") + timedelta(days=5)),
        lambda: Waiver.objects.update(clauses=["another"]),
        lambda: Item.objects.update(settled_until=timezone.now() + timedelta(days=9)),
        lambda: Item.objects.update(observed_until=timezone.now() + timedelta(days=9)),
    ],
)
def test_what_rows_are_folded_from_cannot_change_without_them(decision: Decision, change: object) -> None:
    call_command("rebuild")
    change()  # type: ignore[operator]
    with pytest.raises(CommandError, match="--write corrects"):
        call_command("rebuild")


def test_whose_word_it_was_stands_in_the_ledger_alone(decision: Decision) -> None:
    """Nothing of the product compares these columns with the events; whoever doubts them reads the history."""
    Evidence.objects.update(summary="Somebody else's words.", by=User.objects.get(is_reviewer=True))
    call_command("rebuild")
    call_command("ledger", "verify")
    assert disagreements() != []
    assert "Somebody else's words." not in "".join(Event.objects.values_list("text", flat=True))
