"""Subscribing to calendars: the addresses that concern a person, made, replaced and revoked."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions import calendar_feeds as actions
from readiness.models import CalendarFeed, Team
from readiness.rules.calendar_feeds import revoked_refusals
from readiness.rules.permissions import Refused, insist, make_feed_refusals, revoke_feed_refusals
from readiness.selectors.calendar_feeds import feeds_of, standing_feed

from .access import MOST_DIGITS, Request


@require_safe
def feeds(request: Request) -> HttpResponse:
    """Show which calendars somebody may subscribe to, and which addresses of them work."""
    return render(request, "calendar_feeds.html", {"now": timezone.now(), "feeds": feeds_of(request.user)})


@never_cache
@require_http_methods(["GET", "POST"])
def make(request: Request) -> HttpResponse:
    """Make an address. The answer to the form is the one page that ever shows it: no address leads there again."""
    asked = request.POST if request.method == "POST" else request.GET
    slug = str(asked.get("team", "")).replace("\0", "")
    team = get_object_or_404(Team, slug=slug) if slug else None
    insist(make_feed_refusals(request.user.actor, team_id=team.pk if team else None, team=team.name if team else ""))
    now, problem = timezone.now(), list[str]()
    if request.method == "POST":
        replaces = str(request.POST.get("replaces", ""))
        try:
            feed, text = actions.make_feed(
                by=request.user, team=team, replaces=replaces, language=get_language() or "en", now=now
            )
        except Refused as refused:
            problem = refused.reasons
        else:
            address = request.build_absolute_uri(reverse("calendar-file", args=[text]))
            shown = {"now": now, "feed": feed, "address": address}
            return render(request, "calendar_feed_made.html", shown, status=201)
    context = {"now": now, "team": team, "standing": standing_feed(request.user, team), "problem": problem}
    return render(request, "calendar_feed_form.html", context, status=409 if problem else 200)


@require_http_methods(["GET", "POST"])
def revoke(request: Request, feed: int) -> HttpResponse:
    """Ask whether an address is to be revoked, and revoke it."""
    if feed >= 10**MOST_DIGITS:
        raise Http404
    found = get_object_or_404(CalendarFeed.objects.select_related("team", "made_by"), pk=feed)
    insist(
        revoke_feed_refusals(
            request.user.actor,
            made_by_id=found.made_by_id,
            team_id=found.team_id,
            team=found.team.name if found.team else "",
        )
    )
    now = timezone.now()
    if request.method == "POST":
        actions.revoke_feed(by=request.user, feed_id=found.pk, now=now)
        messages.success(request, _("Revoked: from this moment on that address gives nothing."))
        return redirect("feeds")
    context = {"now": now, "feed": found, "reasons": revoked_refusals(found.revoked_at)}
    return render(request, "calendar_feed_revoke.html", context)
