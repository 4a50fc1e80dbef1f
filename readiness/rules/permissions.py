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


class Archived(Refused):
    """Nothing is written any more about what this would change. A refusal whoever asks."""


def insist(reasons: list[str]) -> None:
    """Raise ``Refused`` where there is a reason."""
    if reasons:
        raise Refused(reasons)


def change_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not change the items, settings and runs of that team's services."""
    if actor.is_admin or team_id in actor.teams:
        return []
    return [f"Only members of {team} change this. Ask one of them, or ask an admin to add you to the team."]


def change_checklist_refusals(actor: Actor) -> list[str]:
    """Return why this person may not preview and land versions of checklists. Reading them is for everyone."""
    if actor.is_admin:
        return []
    return ["Only an admin changes checklists, since every sheet answers them. Ask one, with the change in words."]


def archived_refusals(*archived_at: datetime | None) -> list[str]:
    """Return why nothing may be written any more about what is archived, by itself or with its service."""
    if any(instant is not None for instant in archived_at):
        return ["This is archived: it can be read, and nothing more is written about it."]
    return []


def insist_live(*archived_at: datetime | None) -> None:
    """Raise ``Archived`` where what would be written about is archived, by itself or with its service."""
    if reasons := archived_refusals(*archived_at):
        raise Archived(reasons)


def keep_tokens_refusals(actor: Actor) -> list[str]:
    """Return why this person may not make or revoke API tokens."""
    if actor.is_admin:
        return []
    return ["Only admins keep API tokens. Ask one of them."]


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


def switch_probe_refusals(actor: Actor) -> list[str]:
    """Return why this person may not disable a probe or enable it again, in one environment or everywhere.

    Admins alone, in one environment too: a team that could switch off what watches it would grade itself, and what a
    probe costs or breaks by looking concerns whoever keeps the product. A team says what it holds of a probe with a
    waiver ("the probe is wrong"), which a reviewer reads.
    """
    if actor.is_admin:
        return []
    return ["Only an admin disables a probe or enables it again. Ask one, and say what it gets wrong."]


def retire_refusals(actor: Actor) -> list[str]:
    """Return why this person may not retire the fail of a probe that is disabled."""
    if actor.is_reviewer:
        return []
    return ["Only a reviewer retires the fail of a disabled probe. Ask one to look at it."]


def end_waiver_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not withdraw a request or end what was granted."""
    if actor.is_reviewer:
        return []
    return change_refusals(actor, team_id=team_id, team=team)


def launch_refusals(actor: Actor) -> list[str]:
    """Return why this person may not plan, change and close launch reviews, write their minutes, and decide in them."""
    if actor.is_reviewer:
        return []
    return ["Only a reviewer plans launch reviews and decides in them. Everybody reads along."]


def export_refusals(actor: Actor) -> list[str]:
    """Return why this person may not take a copy of the whole ledger. Reading it is for everyone signed in."""
    if actor.is_admin or actor.is_auditor:
        return []
    return ["Only an auditor or an admin exports the ledger. You can read all of it here."]
