"""Who may what. One function answers each question; the page shows its reasons and the action raises them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """What the rules need to know of a person. ``teams`` are primary keys."""

    id: int
    is_admin: bool
    is_reviewer: bool
    is_auditor: bool
    teams: frozenset[int]


class Refused(Exception):
    """A rule says no. ``reasons`` are sentences for the person, never empty."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def insist(reasons: list[str]) -> None:
    """Raise ``Refused`` where there is a reason."""
    if reasons:
        raise Refused(reasons)


def change_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not change the items, settings and runs of that team's services."""
    if actor.is_admin or team_id in actor.teams:
        return []
    return [f"Only members of {team} change this. Ask one of them, or ask an admin to add you to the team."]


def archived_refusals(*archived_at: datetime | None) -> list[str]:
    """Return why nothing may be written any more about what is archived, by itself or with its service."""
    if any(instant is not None for instant in archived_at):
        return ["This is archived: it can be read, and nothing more is written about it."]
    return []


def add_service_refusals(actor: Actor) -> list[str]:
    """Return why this person may not add a service to any team."""
    if actor.is_admin or actor.teams:
        return []
    return ["A service belongs to a team, and you are in none. Ask an admin to add you to one."]


def review_refusals(actor: Actor) -> list[str]:
    """Return why this person may not grant or refuse any request."""
    if actor.is_reviewer:
        return []
    return ["Only a reviewer grants or refuses. Ask one to look at it."]


def decide_refusals(actor: Actor, *, asked_by_id: int) -> list[str]:
    """Return why this person may not grant or refuse a request."""
    if not actor.is_reviewer:
        return review_refusals(actor)
    if actor.id == asked_by_id:
        return ["You asked for this yourself, so another reviewer has to answer it."]
    return []


def end_waiver_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not withdraw a request or end what was granted."""
    if actor.is_reviewer:
        return []
    return change_refusals(actor, team_id=team_id, team=team)
