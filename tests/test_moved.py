"""What moved since an environment was last decided on, which its next review starts from."""

import pytest
from django.test import Client

from readiness.actions import services
from readiness.actions.archiving import archive_environment
from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Decision, Entry, Environment
from readiness.rules.moved import Way
from readiness.selectors.launches import launch_lines
from readiness.selectors.moved import Moved, moved_since_decision
from readiness.selectors.reviews import environments_to_show
from tests.deeds import after, ask, decide, decide_on, on_sheet, plan_review, settle, take_back, tick
from tests.factories import item_of, make_environment, make_member, make_reviewer
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


def moved(environment: Environment) -> Moved | None:
    found = environments_to_show().get(pk=environment.pk)
    return moved_since_decision(launch_lines([found], after(hours=2))[found.pk])


def said(found: Moved | None) -> list[tuple[str, Way, Status | None, Status | None]]:
    assert found is not None
    return [(one.entry, one.way, one.before, one.after) for one in found.moves]


def test_what_moved_since_the_last_decision_is_named_worse_first_and_nothing_else(client: Client) -> None:
    dev = make_environment(name="dev", kind="dev")
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    settle(dev, mia, but=["store-false", "spend-cap", "dashboards"])
    assert moved(dev) is None

    decide_on(dev, ada, DecisionKind.NO_GO, now=after(minutes=1))
    assert said(moved(dev)) == []
    new = Entry.objects.exclude(pk__in=[item.entry_id for item in on_sheet(dev)])[:1].get()
    Entry.objects.filter(pk=new.pk).update(kinds=["dev", "staging", "prod"])
    services.add_missing_items(dev)
    assert said(moved(dev)) == [(new.slug, Way.NEW, None, Status.OPEN)]
    decide_on(dev, ada, DecisionKind.NO_GO, now=after(minutes=2))
    assert said(moved(dev)) == []

    tick(mia, item_of(dev, "store-false"), now=after(hours=1))
    take_back(mia, item_of(dev, "logs-redacted"), now=after(hours=1))
    decide(ada, ask(mia, item_of(dev, "spend-cap"), now=after(hours=1)), now=after(hours=1))
    Entry.objects.filter(slug="retry-with-backoff").update(retired_at=after(hours=1))
    assert said(moved(dev)) == [
        ("logs-redacted", Way.WORSE, Status.ATTESTED, Status.STALE),
        ("spend-cap", Way.BETTER, Status.OPEN, Status.WAIVED),
        ("store-false", Way.BETTER, Status.OPEN, Status.ATTESTED),
        ("retry-with-backoff", Way.GONE, Status.OPEN, None),
    ]

    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    shown = words(client.get(plan_review(dev, by=ada, now=after(hours=1)).get_absolute_url()))
    assert "items moved since it was last decided on" in shown
    assert "was attested and is stale" in shown
    assert "was open and is not on this sheet any more" in shown

    archive_environment(by=mia, environment_id=dev.pk, reason="It is not used any more.", now=after(hours=1))
    assert moved(dev) is None


def test_a_snapshot_that_was_changed_tells_of_no_move() -> None:
    dev = make_environment(name="dev", kind="dev")
    decision = decide_on(dev, make_reviewer("ada"), DecisionKind.NO_GO, now=after(minutes=1))
    assert said(moved(dev)) == []
    Decision.objects.filter(pk=decision.pk).update(snapshot=decision.snapshot.replace("open", "attested"))
    assert moved(dev) is None
