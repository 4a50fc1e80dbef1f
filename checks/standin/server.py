"""Runs the stand-in on a loopback port or a unix socket, in a thread, for tests, for the demo and by itself."""

from pathlib import Path

from checks.serving import Served
from checks.standin.app import StandIn
from checks.standin.settings import StandInSettings
from checks.standin.state import StandInState


class StandInServer(Served):
    """A running stand-in: inside its block ``url`` ends in ``/v1`` and ``state`` may be changed.

    Where it listens is said as for ``Served``; ``app`` may be replaced by one that mounts the stand-in.
    """

    def __init__(
        self,
        settings: StandInSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        uds: str | Path = "",
        state: StandInState | None = None,
    ) -> None:
        """Prepare; nothing listens yet. ``settings`` begin a state of its own, ``state`` is one to share: not both."""
        if settings is not None and state is not None:
            raise ValueError("give settings or a state, not both")
        self.state = state or StandInState(settings)
        super().__init__(StandIn(self.state), host=host, port=port, uds=uds)

    @property
    def url(self) -> str:
        """The base URL that clients are given."""
        return f"{self.origin}/v1" if self.origin else ""
