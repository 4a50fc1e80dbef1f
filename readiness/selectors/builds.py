"""Which builds an environment ran: since when, and who said so."""

from dataclasses import dataclass
from datetime import datetime

from readiness.models import Deployment, Environment

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLine:
    """From ``since`` on a build ran, as ``who`` said; empty where nobody knew which."""

    build: str
    since: datetime
    who: str
    program: bool


def builds_of(environment: Environment) -> list[BuildLine]:
    """Return the last ten builds of an environment, the one that runs now first. One query."""
    rows = Deployment.objects.filter(environment=environment).select_related("by", "token")
    return [
        BuildLine(build=row.build, since=row.at, who=str(row.by or row.token), program=row.token is not None)
        for row in rows.order_by("-at", "-id")[:MOST_SHOWN]
    ]
