"""What the demo's menu needs: who one is acting as, and whom else one could."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from demo import story
from readiness.models import User


def acting(request: HttpRequest) -> dict[str, Any]:
    """Return the menu's people; nothing for a stranger, who has to sign in first. One query."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    known = {person.username: person for person in story.PEOPLE}
    people = [
        {
            "id": one.pk,
            "name": str(one),
            "role": known[one.username].role if one.username in known else gettext("admin"),
            "team": ", ".join(story.TEAMS[team] for team in known[one.username].teams) if one.username in known else "",
            "current": one.pk == user.pk,
        }
        for one in User.objects.filter(is_active=True)
        if one.username in known or one.is_superuser
    ]
    mine = next((person for person in people if person["current"]), {"name": str(user), "role": gettext("reader")})
    return {"acting": {"name": mine["name"], "role": mine["role"], "people": people}}
