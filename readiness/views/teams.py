"""A team's page."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.models import Team
from readiness.rules.permissions import add_service_refusals
from readiness.selectors.teams import MOST, team_page
from readiness.selectors.trend import Point

from .access import Request
from .following import followed


@require_safe
@followed()
def show(request: Request, team: str) -> HttpResponse:
    """Show a team: its services, its people, and what comes up."""
    found = get_object_or_404(Team, slug=team)
    now = timezone.now()
    page = team_page(found, now)
    context = {
        "now": now,
        "team": found,
        "page": page,
        "teams": [found.slug],
        "live": Point(day=timezone.localdate(now), items=page.items, settled=page.settled, verified=page.verified),
        "most": f":{MOST}",
        "many": MOST,
        "add_refusals": add_service_refusals(request.user.actor),
    }
    return render(request, "team.html", context)
