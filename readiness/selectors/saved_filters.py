"""The overviews that a person comes back to."""

from readiness.models import SavedFilter, User


def saved_filters(by: User) -> list[SavedFilter]:
    """Return what a person saved, by name. One query."""
    return list(SavedFilter.objects.filter(by=by))
