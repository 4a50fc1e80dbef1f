"""Run one probe by hand, print what it saw and concluded, and say it in the exit code."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from checks import engine
from checks.contract import OPERATOR, Probe, Target
from checks.registry import probes
from checks.toolbox import Secrets
from readiness.actions import runs
from readiness.enums.words import Judgement, RunReason, RunState
from readiness.models import Environment, Run

PASS, FAIL, INCONCLUSIVE, ERROR, WRONG_USAGE = 0, 1, 2, 3, 64
ELSEWHERE_POLL_S = 0.2


class Command(BaseCommand):
    """``manage.py probe SLUG [--environment SERVICE/NAME | --url URL] [--json]``.

    Exit code 0 where every clause passes, 1 where one fails, 2 where one is inconclusive and none fails, 3 where the
    probe itself broke, 64 for wrong usage. With ``--environment`` a run is recorded like any other, with ``--url``
    nothing is.
    """

    help = "Run one probe by hand. Exit code: 0 pass, 1 fail, 2 inconclusive, 3 error, 64 wrong usage."

    def run_from_argv(self, argv: list[str]) -> None:
        """Answer wrong usage with its own exit code instead of that of inconclusive."""
        try:
            super().run_from_argv(argv)
        except SystemExit as leaving:
            sys.exit(WRONG_USAGE if leaving.code == 2 and not self.concluded else leaving.code)

    concluded = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("slug", help="one of: " + ", ".join(probes()))
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--environment", metavar="SERVICE/NAME", help="record a run on this environment")
        where.add_argument("--url", help="look at this address, and record nothing")
        parser.add_argument(
            "--key-reference",
            default="",
            help="with --url: env:NAME or file:/path, within the operator's own grant (_operator)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run, print, and leave with the code."""
        probe = probes().get(options["slug"])
        if probe is None:
            raise CommandError(
                f"There is no probe named {options['slug']}. There are: {', '.join(probes())}.", returncode=WRONG_USAGE
            )
        if options["environment"]:
            said = _on_environment(probe, options["environment"])
        else:
            said = _on_url(probe, options["url"], options["key_reference"])
        self.concluded = True
        self.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) if options["json"] else _as_text(said))
        sys.exit(_code(said))


def _on_url(probe: Probe, url: str, key_reference: str) -> dict[str, Any]:
    if not probe.looks_at:
        raise CommandError(
            f"{probe.slug} needs more than an address. Use --environment SERVICE/NAME.", returncode=WRONG_USAGE
        )
    address: dict[str, Any] = {probe.looks_at: url}
    target = Target(team=OPERATOR, key_reference=key_reference, **address)
    try:
        facts, findings, _ = engine.look(probe, target, Secrets(), clock=timezone.now, unlimited=True)
    except Exception as error:  # noqa: BLE001 - told in one line; its values may hold a secret
        return {"probe": probe.slug, "error": f"The probe itself broke ({type(error).__name__}).", "findings": []}
    return {
        "probe": probe.slug,
        "facts": facts,
        "findings": [
            {"clause": one.clause, "judgement": str(one.judgement), "code": one.code, "sentence": one.sentence}
            for one in findings
        ],
    }


def _on_environment(probe: Probe, name: str) -> dict[str, Any]:
    service, _, environment_name = name.partition("/")
    environment = Environment.objects.filter(
        service__slug=service, name=environment_name, archived_at=None, service__archived_at=None
    ).first()
    if environment is None:
        raise CommandError(f"There is no live environment {name}. Write SERVICE/NAME.", returncode=WRONG_USAGE)
    now = timezone.now()
    run = runs.plan(environment_id=environment.pk, probe=probe.slug, reason=RunReason.ASKED, due_at=now, now=now)
    if run is None:
        waiting = Run.objects.filter(environment=environment, probe=probe.slug, state=RunState.QUEUED)
        waiting.update(due_at=now, reason=RunReason.ASKED)
        run = Run.objects.filter(environment=environment, probe=probe.slug).latest("queued_at", "id")
    engine.execute(run.pk)
    done = _wait_for(run, probe)
    return {
        "probe": probe.slug,
        "environment": name,
        "run": done.pk,
        "error": done.error,
        "facts": done.facts,
        "findings": done.findings,
    }


def _wait_for(run: Run, probe: Probe) -> Run:
    """Wait for a run that a worker may have taken first; leave with an error where it does not end in its lease."""
    ends_at = time.monotonic() + (probe.deadline + engine.LEASE_MARGIN).total_seconds()
    while time.monotonic() < ends_at:
        run.refresh_from_db()
        if not run.is_open:
            return run
        time.sleep(ELSEWHERE_POLL_S)
    raise CommandError(f"Run {run.pk} is under way elsewhere and has not ended.", returncode=ERROR)


def _code(said: dict[str, Any]) -> int:
    if said.get("error"):
        return ERROR
    judgements = {finding["judgement"] for finding in said["findings"]}
    if Judgement.FAIL in judgements:
        return FAIL
    return PASS if judgements == {Judgement.PASS} else INCONCLUSIVE


def _as_text(said: dict[str, Any]) -> str:
    if said.get("error"):
        return str(said["error"])
    found: Sequence[dict[str, Any]] = said["findings"]
    lines = [f"{one['judgement']:<13} {one['clause']}\n              {one['sentence']}" for one in found]
    facts = json.dumps(said["facts"], indent=2, ensure_ascii=False)
    return "\n".join([*lines, "", "facts:", facts])
