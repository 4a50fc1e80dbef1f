"""The page of a probe: how often each outcome came out, its newest runs, and who switched it off and on."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from readiness.actions import probes
from readiness.enums.words import Judgement
from readiness.models import Clause, Run
from readiness.observers import observers
from readiness.selectors.probe_history import probe_history
from readiness.selectors.probes import probe_line, probes_page
from tests.deeds import REASON, claimed, observe
from tests.factories import NOW, make_admin, make_environment, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
LATER = NOW + timedelta(days=40)


def history(slug: str = "spend-cap") -> Any:
    found = probe_history(slug, LATER)
    assert found is not None
    return found


def test_outcomes_of_thirty_days_are_counted_by_the_worst_finding_of_each_run(client: Client) -> None:
    prod, dev = make_environment(), make_environment(kind="dev")
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    told = (Judgement.PASS, Judgement.FAIL, Judgement.PASS, Judgement.INCONCLUSIVE)
    for hour, judgement in enumerate(told):
        observe(prod, "spend-cap", now=LATER - timedelta(hours=9 - hour), cap_matches=judgement)
    said = '"judgement": "fail"'
    last = observe(dev, "spend-cap", now=LATER - timedelta(hours=1), cap_matches=Judgement.PASS)
    Run.objects.filter(pk=last.pk).update(findings=[{"judgement": "pass", "sentence": said}])
    found = history()
    assert found.counts == {"fail": 1, "inconclusive": 1, "pass": 3}
    assert (found.total, found.since) == (5, LATER - timedelta(days=30))
    assert [(one.run.environment, one.entry) for one in found.runs[:2]] == [(dev, "spend-cap"), (prod, "spend-cap")]

    admin = make_admin()
    off = probes.disable(by=admin, probe="spend-cap", environment_id=prod.pk, reason=REASON, now=LATER)
    probes.enable(by=admin, disabling_id=off.pk, now=LATER)
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    html = client.get("/probes/spend-cap/").content.decode()
    assert REASON in html
    assert "enabled it again" in html
    assert f"/items/spend-cap/runs/{last.pk}/" in html
    assert client.get("/probes/no-such-probe/").status_code == 404


def test_a_probe_that_never_looked_says_so(client: Client) -> None:
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    html = client.get("/probes/proxy-buffering/").content.decode()
    assert "It has not looked yet." in html
    assert "No run of it has ended in this time." in html
    assert "Nobody has ever disabled it." in html


def test_a_probe_that_is_not_installed_is_shown_where_it_looked_once() -> None:
    prod, installed = make_environment(), list(observers())
    asked = Clause.objects.filter(retired_at=None).exclude(probe="").values_list("probe", flat=True)
    strange = sorted(set(asked) - set(installed))
    assert [line.slug for line in probes_page().lines] == installed
    looked = [strange[0], strange[len(strange) // 2], strange[-1]]
    for number, slug in enumerate(looked, start=1):
        claimed(prod, slug)
        assert [line.slug for line in probes_page().lines] == [*installed, *looked[:number]]
    line = probe_line(looked[0])
    assert line is not None
    assert (line.observer, line.looks, line.last) == (None, 0, None)
    assert probe_line(strange[1]) is None
