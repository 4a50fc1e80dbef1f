"""The trend as a picture: shares of a whole over time, drawn as areas, with a sentence that says the same."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.translation import gettext as _

from readiness.rules.spoken import percent_words, short_day
from readiness.selectors.overview import Overview
from readiness.selectors.overview_filters import Filters
from readiness.selectors.trend import Point, trend

from .date_words import day_words
from .readiness_words import now_of

register = template.Library()

WIDTH, HEIGHT = 300, 60
TOP, LOW = 6, 58
"""Where 100 and 0 percent are drawn, so that no line is cut at the edge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Points as the paths of an SVG of 300 by 60, and what they say in words."""

    settled_area: str
    settled_line: str
    observed_area: str
    said: str


def drawn(points: Sequence[Point]) -> Picture | None:
    """Return the picture of a trend; None where there is nothing to see: fewer than two points, or all alike."""
    shares = [(point.settled_percent, point.observed_percent) for point in points]
    if len(points) < 2 or len(set(shares)) < 2:
        return None
    first, span = points[0].day, (points[-1].day - points[0].day).days
    xs = [WIDTH * (point.day - first).days / span for point in points]
    settled = _path(xs, [settled for settled, _ in shares])
    observed = _path(xs, [observed for _, observed in shares])
    return Picture(
        settled_area=f"{settled} L{WIDTH} {HEIGHT} L0 {HEIGHT}Z",
        settled_line=settled,
        observed_area=f"{observed} L{WIDTH} {HEIGHT} L0 {HEIGHT}Z",
        said=_said(points),
    )


def _path(xs: Sequence[float], shares: Sequence[int]) -> str:
    corners = [f"{x:.1f} {LOW - (LOW - TOP) * share / 100:.1f}" for x, share in zip(xs, shares, strict=True)]
    return "M" + " L".join(corners)


def _said(points: Sequence[Point]) -> str:
    each = "; ".join(
        _("{day} {share}, {observed} by probe").format(
            day=short_day(point.day),
            share=percent_words(point.settled_percent),
            observed=percent_words(point.observed_percent),
        )
        for point in points
    )
    first, last = points[0].settled_percent, points[-1].settled_percent
    return _("Share of items settled, from {first} to {last} percent: {each}.").format(
        first=first, last=last, each=each
    )


def in_words(points: Sequence[Point], since: str) -> str:
    """Return what is said where no picture is drawn: nothing was counted, it began, or nothing moved."""
    if not points:
        return _("Counted once a day, from the next day on.")
    if len(points) == 1:
        return _("Counted from {since} on; a picture needs a second day.").format(since=since)
    share, observed = percent_words(points[-1].settled_percent), percent_words(points[-1].observed_percent)
    return _("Unchanged since {since}: {share} settled, {observed} by probe.").format(
        since=since, share=share, observed=observed
    )


@register.inclusion_tag("partials/trend.html", takes_context=True)
def trend_picture(
    context: Context,
    kinds: Collection[str] = (),
    teams: Collection[str] = (),
    live: Point | None = None,
    drawn_before: dict[Any, Any] | None = None,
) -> dict[str, Any]:
    """Draw how much was settled over the last eight weeks, of some kinds of environment and of some teams.

    ``live`` is what counts at this instant: today's point, in place of the one that was counted as the day began.
    ``teams`` are slugs; ``drawn_before`` is where points are kept. One query, or as many as ``trend`` says.
    """
    now = now_of(context)
    points = trend(now, kinds=kinds, teams=teams, drawn=drawn_before)
    if live is not None and points:
        points = [point for point in points if point.day < live.day] + [live]
    picture = drawn(points)
    since = day_words(points[0].day, timezone.localdate(now)) if points else ""
    return {
        "picture": picture,
        "words": "" if picture else in_words(points, since),
        "first": points[0].day if points else None,
        "last": points[-1].day if points else None,
        "now": now,
    }


@register.simple_tag(takes_context=True)
def counted_now(context: Context, overview: Overview, filters: Filters) -> Point | None:
    """Return what an overview counts as today's point; None where it shows less than its kinds and teams have."""
    if filters.without("kinds", "teams").active() or not overview.items:
        return None
    day = timezone.localdate(now_of(context))
    return Point(day=day, items=overview.items, settled=overview.settled, verified=overview.observed)
