"""Say what a run left out, and fail it: a test process that did not finish, and in CI every skip."""

import os
from collections import Counter
from typing import Any

import pytest

from tests.sharing import database_of, processes

NEVER_IN_CI = ("skipped", "xfailed", "xpassed")


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run, in the process that prints its summary."""
    config.addinivalue_line("markers", "only_on(database): run on this database alone; left out on the other")
    config.addinivalue_line("markers", "either_database: run on one of them, since which it is changes nothing")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(RunReport(config), "readiness-run-report")


class RunReport:
    """Counts what was collected for each database, and what the processes on it finished."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.expected: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.names = list(processes(config))
        self.problems: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process on how many databases this run tests."""
        node.workerinput["readiness_databases"] = len(self.names)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Count what is going to run on a database: every process on it collects the same, and runs a share."""
        self.expected[database_of(node.gateway.spec)] = len(ids)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session."""
        self.session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what a process has run."""
        if self.names:
            self.session.testscollected = self.expected.total()  # xdist keeps that of one process; the % counts all.
        node = getattr(report, "node", None)
        if report.when == "teardown" and node is not None:
            self.finished[database_of(node.gateway.spec)] += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run where a process did not finish, or where CI met a skip."""
        if self.config.option.collectonly:
            return
        for name in self.names:
            if not self.expected[name]:
                self.problems.append(f"No test at all ran on {name}.")
            elif self.finished[name] < self.expected[name] and not session.shouldstop:
                missing = self.expected[name] - self.finished[name]
                self.problems.append(f"The processes on {name} ended with {missing} tests not run.")
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            reporter = self.config.pluginmanager.getplugin("terminalreporter")
            for kind in NEVER_IN_CI:
                found = len(reporter.stats.get(kind, ()))
                if found:
                    self.problems.append(f"CI runs every test, and {found} {kind}.")
        if self.problems and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say on which database how many tests ran, and what makes the run fail."""
        for name in self.names:
            terminalreporter.write_line(f"{self.finished[name]} tests on {name}")
        for problem in self.problems:
            terminalreporter.write_line(problem, red=True, bold=True)
