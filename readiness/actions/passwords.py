"""Change one's own password."""

from datetime import datetime

from django.db import transaction

from readiness.actions import ledger
from readiness.models import User


def change_own_password(*, by: User, password: str, now: datetime) -> None:
    """Set a password that was asked twice and validated; ``by`` has proved the old one. Ends every other session.

    The event says that it was changed, in the words that the admin uses, and nothing of the password.
    """
    with transaction.atomic():
        by.set_password(password)
        by.save(update_fields=["password"])
        changed = [{"changed": {"fields": ["password"]}}]
        ledger.record("user.changed", by=by, at=now, data={"id": by.pk, "name": str(by), "changed": changed})
