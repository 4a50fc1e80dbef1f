"""What every page's frame needs."""

from functools import cache
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from readiness.selectors.waiting import waiting_for


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame shows beside the page: nothing that costs a query for a stranger.

    How much waits for a person is asked for once, and only where it is shown: on a page, and in a sheet's live answer
    to who did something.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"actor": None}
    return {"actor": user.actor, "waits_for_me": cache(lambda: waiting_for(user, timezone.now()))}
