"""The demo's small world: a stand-in for Bastion, services that stream, hops before them, a billing document."""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from checks.probes.canary import canary_app
from checks.probes.fixed_json import fixed_json_app
from checks.standin.app import StandIn
from checks.standin.settings import StandInSettings
from checks.standin.state import StandInState
from demo import story
from demo.hops import compressing_hop, holding_hop
from demo.places import Places, key_of

WEATHER_TURNS_AFTER_S = 180.0
"""The flapping hop streams for this long, then holds for this long, and so on."""


def flapping(started: float, clock: Callable[[], float] = time.monotonic) -> Callable[[str], bool]:
    """Return whether a path's stream is held now: below ``/steady`` always, below ``/flapping`` every other turn."""

    def holds(path: str) -> bool:
        turn = int((clock() - started) / WEATHER_TURNS_AFTER_S)
        return path.startswith("/steady/") or (path.startswith("/flapping/") and turn % 2 == 1)

    return holds


def apps(data: Path, ports: Sequence[int], *, started: float) -> list[Any]:
    """Return the apps of the five ports, in the order of ``places.Places``."""
    places = Places.on(ports)
    state = StandInState(StandInSettings(accepted_keys=_keys(data, refused=False)))
    for key in _keys(data, refused=True):
        state.accept(key)
        state.revoke(key)
    return [
        StandIn(state),
        canary_app(),
        holding_hop(places.services, holds=flapping(started)),
        compressing_hop(places.services),
        fixed_json_app({"environments": story.billing_records()}),
    ]


def _keys(data: Path, *, refused: bool) -> frozenset[str]:
    return frozenset(
        key_of(data, place.team, place.service, place.name)
        for place in story.PLACES
        if place.key_refused == refused and place.has_key
    )


def run(data: Path, ports: Sequence[int]) -> None:
    """Serve until the process is told to stop."""
    asyncio.run(_serve(apps(data, ports, started=time.monotonic()), ports))


async def _serve(served: Sequence[Any], ports: Sequence[int]) -> None:
    servers = [_server(app) for app in served]
    listeners = [_listener(port) for port in ports]
    running = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(servers, listeners, strict=True)
    ]
    done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)
    for task in done:
        task.result()


def _server(app: Any) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _listener(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    # Inherited by connections: without it each small event of a stream waits for the reader's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
