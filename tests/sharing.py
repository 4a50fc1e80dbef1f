"""Several processes on one database share its tests out, a file at a time: while one of them waits another works."""

from collections import Counter
from collections.abc import Sequence

import execnet
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController, parse_tx_spec_config

from tests.servers.environment import CHOSEN_BY


def database_of(spec: execnet.XSpec) -> str:
    """Return the database that a process is started for; empty where it is for none in particular."""
    return str(spec.env.get(CHOSEN_BY, ""))


def processes(config: pytest.Config) -> Counter[str]:
    """Return how many processes of this run are on each database; none where the run is not shared out by database."""
    if config.getoption("dist", "no") == "no":
        return Counter()
    found = Counter(database_of(execnet.XSpec(text)) for text in parse_tx_spec_config(config))
    return Counter() if "" in found else found


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "SharedOut | None":
    """Share out by database where every process names one."""
    found = processes(config)
    return SharedOut({name: _Part(config, log, count) for name, count in found.items()}) if found else None


class SharedOut:
    """A scheduler of pytest-xdist: each database's tests run once, in the order of their collection by file.

    Every process collects all the tests of its database. Whichever has nothing left takes the next file.
    """

    def __init__(self, parts: dict[str, "_Part"]) -> None:
        self.parts = parts

    def _of(self, node: WorkerController) -> "_Part":
        return self.parts[database_of(node.gateway.spec)]

    @property
    def nodes(self) -> list[WorkerController]:
        return [node for part in self.parts.values() for node in part.nodes]

    @property
    def collection_is_completed(self) -> bool:
        return all(part.collection_is_completed for part in self.parts.values())

    @property
    def tests_finished(self) -> bool:
        return all(part.tests_finished for part in self.parts.values())

    @property
    def has_pending(self) -> bool:
        return any(part.has_pending for part in self.parts.values())

    def add_node(self, node: WorkerController) -> None:
        self._of(node).add_node(node)

    def remove_node(self, node: WorkerController) -> str | None:
        return self._of(node).remove_node(node)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        self._of(node).add_node_collection(node, collection)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        self._of(node).mark_test_complete(node, item_index, duration)

    def mark_test_pending(self, item: str) -> None:
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        raise NotImplementedError

    def schedule(self) -> None:
        for part in self.parts.values():
            part.schedule()


class _Part(LoadFileScheduling):
    """The processes on one database."""

    def __init__(self, config: pytest.Config, log: Producer, count: int) -> None:
        super().__init__(config, log)
        self.numnodes = count
