"""That a go no longer covers is said wherever its environment is shown, and that all who judge it agree."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions.decisions import NewCondition
from readiness.enums.words import DecisionKind
from readiness.models import Decision, Environment
from readiness.selectors import covering
from readiness.selectors.fleet import fleet
from readiness.selectors.launches import launch_lines
from readiness.selectors.reviews import environments_to_show
from tests.calendars import subscriber
from tests.deeds import ask, decide, decide_on, plan_review, settle, take_back, tick
from tests.factories import item_of, make_environment, make_member, make_person, make_reviewer
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]
CONDITIONAL = DecisionKind.GO_WITH_CONDITIONS
OPEN = "spend-cap"


def looked_at(environment: Environment, *, later: timedelta = timedelta()) -> bool:
    """Whether the overview and the sheet agree that the decision no longer covers, and whether it does not."""
    at = timezone.now() + later
    (row,) = [row for row in fleet(at).rows(at) if row.pk == environment.pk]
    covering.look([row], at)
    line = launch_lines([environments_to_show().get(pk=environment.pk)], at)[environment.pk]
    assert line.coverage is not None
    assert covering.uncovered(row) == (line.coverage.decision.kind != "no-go" and not line.coverage.covers)
    return covering.uncovered(row)


def test_the_overview_judges_cover_as_a_sheet_does_after_each_thing_that_happens() -> None:
    now = timezone.now()
    dev = make_environment(name="dev", kind="dev", now=now)
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    settle(dev, mia, but=[OPEN], now=now)
    cap, logs = item_of(dev, OPEN), item_of(dev, "logs-redacted")

    def conditional() -> None:
        until = timezone.localdate() + timedelta(days=3)
        condition = NewCondition(item_id=cap.pk, reason="It is set on Friday.", owner=mia, until=until)
        decide_on(dev, ada, CONDITIONAL, conditions=[condition], now=timezone.now())

    steps: list[tuple[Callable[[], object], bool]] = [
        (lambda: decide_on(dev, ada, DecisionKind.NO_GO, now=timezone.now()), False),
        (conditional, False),
        (lambda: take_back(mia, logs, now=timezone.now()), True),
        (lambda: decide(ada, ask(mia, logs, now=timezone.now()), now=timezone.now()), True),
        (lambda: tick(mia, logs, now=timezone.now()), False),
        (lambda: tick(mia, cap, now=timezone.now()), False),
        (lambda: take_back(mia, cap, now=timezone.now()), True),
        (conditional, False),
    ]
    assert [(do(), looked_at(dev))[1] for do, _after in steps] == [after for _do, after in steps]
    assert not looked_at(dev, later=timedelta(days=2))
    assert looked_at(dev, later=timedelta(days=5))
    Decision.objects.update(hash="0" * 64)
    tick(mia, item_of(dev, "store-false"), now=timezone.now())  # What is kept is replaced where something happens.
    assert looked_at(dev)


def test_pages_that_show_an_environment_say_that_its_go_no_longer_covers(client: Client) -> None:
    now = timezone.now()
    launch = timezone.localdate() + timedelta(days=9)
    dev = make_environment(name="dev", kind="dev", now=now, launch_on=launch)
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    settle(dev, mia, now=now)
    decision = decide_on(dev, ada, DecisionKind.GO, now=timezone.now())
    review = plan_review(dev, by=ada, now=timezone.now())
    pages = [
        "/?kind=dev",
        dev.get_absolute_url(),
        f"/services/{dev.service.slug}/",
        f"/teams/{dev.service.team.slug}/",
        "/launches/",
        review.get_absolute_url(),
        f"/reviews/{review.pk}/{dev.service.slug}/dev/decide/",
        reverse("meeting", args=[review.pk]),
        decision.get_absolute_url(),
        f"/search/?q={dev.service.slug}",
        f"/launches/calendar/?month={launch:%Y-%m}",
        f"/launches/calendar/?day={launch}",
    ]
    program = subscriber(mia)
    client.force_login(make_person("rio"), backend="django.contrib.auth.backends.ModelBackend")

    def telling() -> list[str]:
        return [page for page in pages if "no longer covers" in words(client.get(page, follow=True)).lower()]

    def in_files() -> tuple[str, str, bool]:
        [line] = csv.DictReader(io.StringIO(client.get("/overview.csv").content.decode("utf-8-sig")))
        [told] = json.loads(client.get("/overview.json").content)["environments"]
        said = str(program.events()[f"launch-{dev.pk}"]["DESCRIPTION"])
        return line["decision_covers"], told["decision_covers"], "no longer covers" in said

    assert (telling(), in_files()) == ([], ("yes", "yes", False))
    take_back(mia, item_of(dev, "logs-redacted"), now=timezone.now())
    assert (telling(), in_files()) == (pages, ("no", "no", True))
