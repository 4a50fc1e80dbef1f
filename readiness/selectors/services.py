"""A service with its environments."""

from dataclasses import dataclass
from datetime import datetime

from readiness.models import Environment, Service
from readiness.rules.verdicts import Tally, stand_at, tally

from .decisions import standing_decisions
from .sheets import in_order, items_of, items_on
from .strips import Strip, entries_at, strip


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentLine:
    """One environment of a service, with its verdict and strip."""

    environment: Environment
    tally: Tally
    strip: Strip


def service_page(service: Service, at: datetime) -> list[EnvironmentLine]:
    """Return a service's live environments with their verdicts. Five queries, whatever their number."""
    entries = entries_at(at, team_id=service.team_id)
    items = items_of(service)
    environments = in_order(service.environments.filter(archived_at=None))
    decided = standing_decisions([environment.pk for environment in environments], at)
    found = []
    for environment in environments:
        mine = items_on(environment, items, entries)
        stands = {entry_id: stand_at(item.pk, item.facts, at) for entry_id, item in mine.items()}
        counted = tally(stands.values(), under=decided.get(environment.pk), at=at)
        statuses = {entry_id: stand.status for entry_id, stand in stands.items()}
        found.append(EnvironmentLine(environment=environment, tally=counted, strip=strip(entries, statuses)))
    return found
