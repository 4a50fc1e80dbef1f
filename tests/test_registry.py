"""One list of probes, equal to the folder and to what the checklist names."""

import pkgutil
from importlib import import_module
from pathlib import Path

import checks.probes
from checks.contract import Probe
from checks.registry import PROBES, observers, probes
from readiness.rules.checklist_file import parse

SHIPPED = Path(__file__).resolve().parent.parent / "readiness" / "checklists" / "bastion.toml"


def test_every_probe_in_the_folder_is_in_the_list_and_once() -> None:
    found = {
        value
        for module in pkgutil.iter_modules(checks.probes.__path__)
        for value in vars(import_module(f"checks.probes.{module.name}")).values()
        if isinstance(value, type) and issubclass(value, Probe) and value is not Probe
    }
    assert found == {type(probe) for probe in PROBES}
    assert len(probes()) == len(PROBES)


def test_every_probe_observes_the_clauses_that_the_checklist_gives_it() -> None:
    file = parse(SHIPPED.read_text(encoding="utf-8"))
    named: dict[str, list[str]] = {}
    for section in file.sections:
        for entry in section.entries:
            for clause in entry.clauses:
                named.setdefault(clause.probe, []).append(clause.slug)
    assert {probe.slug: list(probe.observes) for probe in PROBES} == {slug: named[slug] for slug in probes()}


def test_a_page_sees_what_a_probe_asks_and_how_often() -> None:
    assert [(one.slug, one.every) for one in observers()] == [(probe.slug, probe.every) for probe in PROBES]


def test_a_lease_outlasts_every_probe() -> None:
    assert all(probe.deadline.total_seconds() <= 60 for probe in PROBES)
