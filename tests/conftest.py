"""One database a test process, the shipped checklist in it, and a run that fails where something was left out.

``make test`` runs every test that touches the database twice in one run, in processes with SQLite and in some with
PostgreSQL; the others run once. See docs/testing.md.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker, blocking_manager_key

from tests.servers.environment import CHOSEN_BY, DATABASES, servers
from tests.stored_checklist import StoredChecklist
from tests.touching import allowed_databases, empties_tables, timeout_of, touches_database, touches_page

_STORED = pytest.StashKey[StoredChecklist]()
pytest_plugins = ["tests.sharing", "tests.run_report", "tests.browser", "tests.servers.processes"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what runs on the other database; begin with what may take long, and end with the browser's.

    A file that others wait for at the end makes the run longer; a browser's loop stays in its thread.
    """
    both = getattr(config, "workerinput", {}).get("readiness_databases", 1) == len(DATABASES)
    mine = os.environ.get(CHOSEN_BY, DATABASES[0])
    kept = [item for item in items if mine in allowed_databases(item, split=both)]
    left = [item for item in items if mine not in allowed_databases(item, split=both)]
    if left:
        config.hook.pytest_deselected(items=left)
    last = {item.path for item in kept if touches_page(item)}
    longest: dict[Path, float] = {}
    for item in kept:
        longest[item.path] = max(timeout_of(item), longest.get(item.path, 0))
    items[:] = sorted(kept, key=lambda item: (item.path in last, -longest[item.path]))


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Keep the names: each process has servers of its own, so there is nothing to tell apart."""


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Nothing is dropped: folder and server go with the process, whoever still holds a connection."""
    return True


@pytest.fixture(scope="session")
def stored_checklist(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[StoredChecklist]:
    """The shipped checklist, loaded once a process."""
    from django.db import connections

    with django_db_blocker.unblock():
        checklist = StoredChecklist.load()
    request.config.stash[_STORED] = checklist
    yield checklist
    del request.config.stash[_STORED]
    with django_db_blocker.unblock():
        for connection in connections.all(initialized_only=True):
            connection.close()
            if hasattr(connection, "close_pool"):
                connection.close_pool()


@pytest.fixture(autouse=True)
def _checklist_is_there(request: pytest.FixtureRequest) -> None:
    """Every test with a database has the shipped checklist; one that empties the tables does not take it away."""
    if touches_database(request.node):
        checklist: StoredChecklist = request.getfixturevalue("stored_checklist")
        request.getfixturevalue("_django_db_helper")
        checklist.bring_back()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Bring the checklist back once the tables were emptied; each test after would write it in its own transaction."""
    yield
    checklist = item.config.stash.get(_STORED, None)
    if checklist is not None and empties_tables(item):
        with item.config.stash[blocking_manager_key].unblock():
            checklist.bring_back()


@pytest.fixture(autouse=True)
def _no_wrong_links_before() -> None:
    """Each test comes from the same address, which has tried no sign-in link yet."""
    from django.core.cache import caches

    caches["wrong-links"].clear()


@pytest.fixture(autouse=True)
def _nothing_kept_before() -> None:
    """What a process keeps of where everything stands, and of what waits for whom, is not that of the test before."""
    from readiness.selectors import fleet, waiting

    fleet.forget()
    waiting.forget_waiting()


@pytest.fixture(scope="session")
def test_database() -> str:
    """Which database this process tests on: ``sqlite`` or ``postgresql``."""
    return servers().database
