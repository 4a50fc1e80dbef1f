"""The records. One noun, one file."""

from .builds import Deployment
from .calendars import CalendarFeed
from .checklists import Checklist, ChecklistVersion, Clause, Entry, Section
from .comments import Comment
from .counts import DayCount
from .events import Event
from .evidence import Evidence, EvidenceLink
from .items import Item
from .meetings import MeetingNote, Presence
from .people import Membership, Team, User
from .places import SavedFilter, Visit
from .probes import Disabling
from .requests import NotApplicable, Waiver
from .reviews import AgendaLine, Condition, Decision, Dissent, Review
from .runs import Run
from .services import BillingSource, Environment, Service
from .tokens import ApiToken

__all__ = [
    "AgendaLine",
    "ApiToken",
    "BillingSource",
    "CalendarFeed",
    "Checklist",
    "ChecklistVersion",
    "Clause",
    "Comment",
    "Condition",
    "DayCount",
    "Decision",
    "Deployment",
    "Disabling",
    "Dissent",
    "Entry",
    "Environment",
    "Event",
    "Evidence",
    "EvidenceLink",
    "Item",
    "MeetingNote",
    "Membership",
    "NotApplicable",
    "Presence",
    "Review",
    "Run",
    "SavedFilter",
    "Section",
    "Service",
    "Team",
    "User",
    "Visit",
    "Waiver",
]
