"""Be told that something was written: PostgreSQL's NOTIFY, on a connection of its own."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from django.db import connection
from psycopg import sql

from readiness.rules.following import CHANNEL

log = structlog.get_logger(__name__)

AGAIN_AFTER_S = 1.0
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


def can_listen() -> bool:
    """Return whether the database tells who listens; where it does not, somebody has to look."""
    return bool(connection.vendor == "postgresql")


async def listen(heard: Callable[[], None], listening: Callable[[bool], None]) -> None:
    """Call ``heard`` at each notification, for ever; connect again where the connection is lost.

    ``listening`` is told whether it hears anything at present. After each connection ``heard`` is called once, for what
    was written while nobody listened. The connection is none of the pool's.
    """
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**_parameters()) as own:
                await own.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                listening(True)
                heard()
                async for _ in own.notifies():
                    heard()
        except (psycopg.Error, OSError) as error:
            log.warning("live.listening", error=type(error).__name__)
        finally:
            listening(False)
        await asyncio.sleep(AGAIN_AFTER_S)


def _parameters() -> dict[str, Any]:
    """Return what Django connects with, but for what is about its own cursors."""
    given = dict(connection.get_connection_params())
    for name in ("cursor_factory", "context", "pool"):
        given.pop(name, None)
    return {**KEEPALIVE, **given, "autocommit": True, "application_name": "readiness live"}
