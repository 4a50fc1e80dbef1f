"""The overviews that a person comes back to."""

from django.db.models import Value

from readiness.models import SavedFilter, User


def saved_filters(by: User) -> list[SavedFilter]:
    """Return what a person saved, by name. One query, by which their teams are known as well."""
    saved = SavedFilter.objects.filter(by=by).order_by().values_list("name", "id", "query")
    # No filter that was saved is without a name: rows without one are teams.
    teams = by.memberships.order_by().values_list(Value(""), "team_id", Value(""))
    rows = list(saved.union(teams, all=True).order_by("name", "id"))
    by.found_in(key for name, key, _ in rows if not name)
    return [SavedFilter(pk=key, by=by, name=name, query=query) for name, key, query in rows if name]
