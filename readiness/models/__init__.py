"""The records. One noun, one file."""

from .checklists import Checklist, Clause, Entry, Section
from .events import Event
from .evidence import Evidence, EvidenceLink
from .items import Item
from .people import Membership, Team, User
from .requests import NotApplicable, Waiver
from .runs import Run
from .services import BillingSource, Environment, Service

__all__ = [
    "BillingSource",
    "Checklist",
    "Clause",
    "Entry",
    "Environment",
    "Event",
    "Evidence",
    "EvidenceLink",
    "Item",
    "Membership",
    "NotApplicable",
    "Run",
    "Section",
    "Service",
    "Team",
    "User",
    "Waiver",
]
