"""A service with its environments."""

from dataclasses import dataclass
from datetime import datetime

from readiness.models import Environment, Service
from readiness.rules.status import status_at
from readiness.rules.verdicts import Tally, tally

from .sheets import in_order, items_of, items_on
from .strips import Strip, entries_in_order, strip


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentLine:
    """One environment of a service, with its verdict and strip."""

    environment: Environment
    tally: Tally
    strip: Strip


def service_page(service: Service, at: datetime) -> list[EnvironmentLine]:
    """Return a service's live environments with their verdicts. Three queries, whatever their number."""
    entries = entries_in_order()
    items = items_of(service)
    found = []
    for environment in in_order(service.environments.filter(archived_at=None)):
        mine = items_on(environment, items, entries)
        statuses = {entry_id: status_at(item.facts, at) for entry_id, item in mine.items()}
        counted = tally((statuses[entry_id], item.first_met_at is not None) for entry_id, item in mine.items())
        found.append(EnvironmentLine(environment=environment, tally=counted, strip=strip(entries, statuses)))
    return found
