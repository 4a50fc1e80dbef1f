"""Who may what: one table, one question for each act. The page shows the reasons and the action raises them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _


class Role(StrEnum):
    """What somebody is to what they want to do something with. A person may be several; a manager is a reader."""

    STRANGER = "stranger"
    READER = "reader"
    AUDITOR = "auditor"
    MEMBER = "team member"
    REVIEWER = "reviewer"
    ADMIN = "admin"


class Act(StrEnum):
    """What people do, as far as it is asked who may."""

    READ = "read everything"
    EXPORT = "export the ledger"
    COMMENT = "comment on an item, and take one's own comment back"
    CHANGE = "change items, settings and runs of the team's services"
    ADD_SERVICE = "add a service"
    END_GRANTS = "withdraw a request, or end what was granted"
    ANSWER = "grant or refuse what somebody else asked for"
    RETIRE = "retire the fail of a disabled probe"
    DECIDE = "plan launch reviews and decide in them"
    SWITCH_PROBES = "disable a probe or enable it again"
    LAND_CHECKLISTS = "land versions of checklists"
    KEEP_TOKENS = "make and revoke API tokens"
    KEEP_PEOPLE = "keep people, teams and billing sources"
    SUBSCRIBE = "subscribe to a calendar of one's own"
    KEEP_TEAM_CALENDAR = "subscribe to the team's calendar, and revoke its addresses"


_SIGNED_IN = frozenset(Role) - {Role.STRANGER}

MAY: dict[Act, frozenset[Role]] = {
    Act.READ: _SIGNED_IN,
    Act.EXPORT: frozenset({Role.AUDITOR, Role.ADMIN}),
    Act.COMMENT: _SIGNED_IN,
    Act.CHANGE: frozenset({Role.MEMBER, Role.ADMIN}),
    Act.ADD_SERVICE: frozenset({Role.MEMBER, Role.ADMIN}),
    Act.END_GRANTS: frozenset({Role.MEMBER, Role.REVIEWER, Role.ADMIN}),
    Act.ANSWER: frozenset({Role.REVIEWER}),
    Act.RETIRE: frozenset({Role.REVIEWER}),
    Act.DECIDE: frozenset({Role.REVIEWER}),
    Act.SWITCH_PROBES: frozenset({Role.ADMIN}),
    Act.LAND_CHECKLISTS: frozenset({Role.ADMIN}),
    Act.KEEP_TOKENS: frozenset({Role.ADMIN}),
    Act.KEEP_PEOPLE: frozenset({Role.ADMIN}),
    Act.SUBSCRIBE: _SIGNED_IN,
    Act.KEEP_TEAM_CALENDAR: frozenset({Role.MEMBER}),
}
"""Who may do what (design section 4). docs/roles.md is this table for people; tests hold pages and document to it.

Admins alone switch probes, in one environment too: a team that could switch off what watches it would grade itself. A
team says what it holds of a probe with a waiver ("the probe is wrong"), which a reviewer reads.
"""


@dataclass(frozen=True, slots=True)
class Actor:
    """What the rules need to know of a person who is signed in. ``teams`` are primary keys."""

    id: int
    is_admin: bool
    is_reviewer: bool
    is_auditor: bool
    teams: frozenset[int]

    def roles(self, team_id: int | None = None) -> frozenset[Role]:
        """Return what this person is: a member of that team, or of any where none is named."""
        member = bool(self.teams) if team_id is None else team_id in self.teams
        held = {
            Role.READER: True,
            Role.AUDITOR: self.is_auditor,
            Role.MEMBER: member,
            Role.REVIEWER: self.is_reviewer,
            Role.ADMIN: self.is_admin,
        }
        return frozenset(role for role, holds in held.items() if holds)


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


def refusals(actor: Actor, act: Act, otherwise: str, *, team_id: int | None = None) -> list[str]:
    """Return ``otherwise`` where the table does not let this person do something; nothing where it does."""
    return [] if actor.roles(team_id) & MAY[act] else [otherwise]


def change_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not change the items, settings and runs of that team's services."""
    otherwise = _(
        "Only members of {team} change this. Ask one of them, or ask an admin to add you to the team."
    ).format(team=team)
    return refusals(actor, Act.CHANGE, otherwise, team_id=team_id)


def comment_refusals(actor: Actor) -> list[str]:
    """Return why this person may not comment on an item. Whoever reads may ask, managers too."""
    return refusals(actor, Act.COMMENT, _("Sign in to comment."))


def remove_comment_refusals(actor: Actor, *, by_id: int) -> list[str]:
    """Return why this person may not take a comment back."""
    return [] if actor.id == by_id else [_("Only whoever wrote a comment takes it back.")]


def change_checklist_refusals(actor: Actor) -> list[str]:
    """Return why this person may not preview and land versions of checklists. Reading them is for everyone."""
    otherwise = _(
        "Only an admin changes checklists, since every sheet answers them. Ask one, with the change in words."
    )
    return refusals(actor, Act.LAND_CHECKLISTS, otherwise)


def archived_refusals(*archived_at: datetime | None) -> list[str]:
    """Return why nothing may be written any more about what is archived, by itself or with its service."""
    if any(instant is not None for instant in archived_at):
        return [_("This is archived: it can be read, and nothing more is written about it.")]
    return []


def insist_live(*archived_at: datetime | None) -> None:
    """Raise ``Archived`` where what would be written about is archived, by itself or with its service."""
    if reasons := archived_refusals(*archived_at):
        raise Archived(reasons)


def keep_tokens_refusals(actor: Actor) -> list[str]:
    """Return why this person may not make or revoke API tokens."""
    return refusals(actor, Act.KEEP_TOKENS, _("Only admins keep API tokens. Ask one of them."))


def keep_people_refusals(actor: Actor) -> list[str]:
    """Return why this person may not keep people, teams and billing sources."""
    return refusals(actor, Act.KEEP_PEOPLE, _("Only admins keep people, teams and billing sources. Ask one of them."))


def make_feed_refusals(actor: Actor, *, team_id: int | None, team: str) -> list[str]:
    """Return why this person may not have a calendar address: one of their own, or of a team where that is given."""
    if team_id is None:
        return refusals(actor, Act.SUBSCRIBE, _("Sign in to subscribe."))
    otherwise = _("Only members of {team} subscribe to its calendar. Its launches are in the launch calendar.").format(
        team=team
    )
    return refusals(actor, Act.KEEP_TEAM_CALENDAR, otherwise, team_id=team_id)


def revoke_feed_refusals(actor: Actor, *, made_by_id: int, team_id: int | None, team: str) -> list[str]:
    """Return why this person may not revoke a calendar address: whoever made it may, and of a team every member."""
    if actor.id == made_by_id:
        return []
    if team_id is None:
        return [_("Only whoever made an address of their own revokes it.")]
    otherwise = _("Only members of {team} revoke addresses of its calendar.").format(team=team)
    return refusals(actor, Act.KEEP_TEAM_CALENDAR, otherwise, team_id=team_id)


def add_service_refusals(actor: Actor) -> list[str]:
    """Return why this person may not add a service to any team."""
    otherwise = _("A service belongs to a team, and you are in none. Ask an admin to add you to one.")
    return refusals(actor, Act.ADD_SERVICE, otherwise)


def review_refusals(actor: Actor) -> list[str]:
    """Return why this person may not grant or refuse any request."""
    return refusals(actor, Act.ANSWER, _("Only a reviewer grants or refuses. Ask one to look at it."))


def decide_refusals(actor: Actor, *, asked_by_id: int) -> list[str]:
    """Return why this person may not grant or refuse a request."""
    if reasons := review_refusals(actor):
        return reasons
    if actor.id == asked_by_id:
        return [_("You asked for this yourself, so another reviewer has to answer it.")]
    return []


def switch_probe_refusals(actor: Actor) -> list[str]:
    """Return why this person may not disable a probe or enable it again, in one environment or everywhere."""
    otherwise = _("Only an admin disables a probe or enables it again. Ask one, and say what it gets wrong.")
    return refusals(actor, Act.SWITCH_PROBES, otherwise)


def retire_refusals(actor: Actor) -> list[str]:
    """Return why this person may not retire the fail of a probe that is disabled."""
    otherwise = _("Only a reviewer retires the fail of a disabled probe. Ask one to look at it.")
    return refusals(actor, Act.RETIRE, otherwise)


def end_waiver_refusals(actor: Actor, *, team_id: int, team: str) -> list[str]:
    """Return why this person may not withdraw a request or end what was granted."""
    otherwise = _("Only members of {team} and reviewers end this. Ask one of them.").format(team=team)
    return refusals(actor, Act.END_GRANTS, otherwise, team_id=team_id)


def launch_refusals(actor: Actor) -> list[str]:
    """Return why this person may not plan, change and close launch reviews, write their minutes, and decide in them."""
    otherwise = _("Only a reviewer plans launch reviews and decides in them. Everybody reads along.")
    return refusals(actor, Act.DECIDE, otherwise)


def export_refusals(actor: Actor) -> list[str]:
    """Return why this person may not take a copy of the whole ledger. Reading it is for everyone signed in."""
    otherwise = _("Only an auditor or an admin exports the ledger. You can read all of it here.")
    return refusals(actor, Act.EXPORT, otherwise)
