"""Who asks, and for what: a client signed in to the product in this very process, and the queries of an answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client

from readiness.models import Membership, User
from readiness.selectors import fleet
from readiness.selectors.waiting import forget_waiting

Query = tuple[str, Sequence[Any] | None]


def client_of(user: User) -> Client:
    """Return a client that is signed in. It runs every middleware, in this thread."""
    found = Client(SERVER_NAME="127.0.0.1")
    found.force_login(user)
    return found


def a_member() -> User:
    """Return somebody who is in a team."""
    return Membership.objects.select_related("user").order_by("pk")[0].user


def get(client: Client, address: str) -> HttpResponse:
    """Return a page. RuntimeError where it is none: what is not answered well is not measured."""
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}.")
    return answer  # type: ignore[return-value]


def forget() -> None:
    """Let the next page be one of a process that has read nothing yet."""
    fleet.forget()
    forget_waiting()


@contextmanager
def queries() -> Iterator[list[Query]]:
    """Keep what is asked of the database meanwhile."""
    found: list[Query] = []

    def keep(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        yield found


def ask(asked: Sequence[Query]) -> None:
    """Ask the database the same again, and take every row: what an answer needs of it, and nothing else."""
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(sql, params)
            if cursor.description is not None:
                cursor.fetchall()
