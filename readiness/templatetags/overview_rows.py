"""The rows of the overview, as lean as they can be: a page may hold fifteen hundred.

What a row draws of itself is kept with it (``Row.drawn``) by language: it is replaced where anything about it changes.
Beside that stand the forecast and when a probe ended last, whose words are kept for as long as they say the same.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from json import dumps

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from readiness.enums.standing import Status
from readiness.rules.spoken import percent_words
from readiness.rules.verdicts import Tally
from readiness.selectors.covering import uncovered
from readiness.selectors.kept import Person, Row
from readiness.selectors.overview import Group, Overview
from readiness.selectors.strips import in_words

from .date_words import ago_words, day_words
from .readiness_words import LETTERS, now_of, verdict_words
from .review_words import kind_tag

register = template.Library()

_CELLS = {status: f'<i class="{letter}"></i>' for status, letter in LETTERS.items() if status}
_CELL_OF_NOTHING = '<i class="n off"></i>'
Left = tuple[tuple[str, str, str], ...]
"""Items that are left, each with its entry's address and title, and its owner's name."""
_SAYS_ALONE = '<td class="c-forecast lesser"></td>'


@register.simple_tag(takes_context=True)
def overview_rows(context: Context, overview: Overview, group: Group) -> SafeString:
    """Draw the rows of a group."""
    now = now_of(context)
    today, strips, language = timezone.localdate(now), overview.strip_of_team, get_language()
    at_launch, last_runs = overview.at_launch.get, overview.last_runs.get
    drawn: list[str] = []
    for row in group.rows:
        left = () if group.section is None else _left_in(row, group.section, overview.owners)
        drawn.append(_kept(row, (group.section, language), (today, strips[row.team], left)))
        drawn.append(_kept_end(row, ("end", language), at_launch(row.pk), last_runs(row.pk), today, now))
    return mark_safe("".join(drawn))  # noqa: S308  # Every part is escaped where it is made.


@register.simple_tag
def strip_legends(overview: Overview) -> str:
    """Return, as JSON, the entries of each strip of this page by its number: address, title and section."""
    return dumps([[[one.slug, one.title, one.section_id] for one in entries] for entries in overview.strips])


def _kept(row: Row, key: tuple[int | None, str | None], of: tuple[date, int, Left]) -> str:
    known = row.drawn.get(key)
    if known is None or known[0] != of:
        row.drawn[key] = known = of, _row(row, key[0], *of)
    text: str = known[1]
    return text


def _left_in(row: Row, section: int, owners: Mapping[int, Person]) -> Left:
    """Return what is not settled in one section of a sheet, each with its owner's name, empty where nobody is."""
    found = []
    for entry in row.entries:
        if entry.section_id != section or entry.pk not in row.statuses or row.statuses[entry.pk].settled:
            continue
        owner = owners.get(row.items[entry.pk].owner or 0)
        found.append((entry.slug, entry.title, owner.name if owner and row.team in owner.teams else ""))
    return tuple(found)


def _kept_end(
    row: Row, key: tuple[str, str | None], at_launch: Tally | None, last: datetime | None, today: date, now: datetime
) -> str:
    known = row.drawn.get(key)
    of = today, at_launch, last
    if known is None or known[0] != of or not known[1] <= now < known[2]:
        row.drawn[key] = known = of, now, says_the_same_until(last, now), _forecast(at_launch) + _last(last, now)
    text: str = known[3]
    return text


def says_the_same_until(instant: datetime | None, now: datetime) -> datetime:
    """Return an instant up to which ``ago_words`` says the same on this day: where its next minute or hour begins."""
    if instant is None:
        return now + timedelta(days=1)
    passed = now - instant
    if passed < timedelta(minutes=1):
        return now
    unit = timedelta(minutes=1) if passed < timedelta(hours=1) else timedelta(hours=1)
    return now + (unit - passed % unit)


def _row(row: Row, section: int | None, today: date, strip: int, left: Left) -> str:
    one, service, counted = row.environment, row.environment.service, row.tally_in(section)
    return format_html(
        '<tr{}><td class="c-name"><a class="name" id="sheet-{}{}" href="{}">{}<span class="unseen"> {}</span></a>{}'
        "</td>"
        '<td class="c-env"><span class="tag"{}>{}</span></td>'
        '<td class="c-verdict"><span class="verdict {}">{}</span>{}</td>'
        '<td class="c-strip">{}{}</td>'
        '<td class="num c-settled">{}</td><td class="num c-left">{}<span class="phone"> {}</span></td>'
        '<td class="num c-waived lesser">{}</td><td class="c-launch">{}</td>',
        format_html(' data-strip="{}"', strip) if strip else "",
        one.pk,
        "" if section is None else f"-{section}",
        one.get_absolute_url(),
        service.slug,
        pgettext("place", "in {environment}").format(environment=one.name),
        _team(service.team.slug, service.team.name),
        "" if one.name == one.kind else format_html(' title="{}"', one.kind),
        one.name,
        row.tally.verdict,
        verdict_words(row.tally),
        _waits(row),
        _strip(row, section),
        _left_items(row, left),
        percent_words(counted.percent),
        counted.left,
        ngettext("left", "left", counted.left),
        _waived(service.slug, counted.waived),
        _launch(one.launch_on, today),
    )


def _team(slug: str, name: str) -> SafeString:
    try:
        return format_html('<a class="small faint team" href="{}">{}</a>', reverse("team", args=[slug]), name)
    except NoReverseMatch:
        return format_html('<span class="small faint team">{}</span>', name)


def _waits(row: Row) -> SafeString | str:
    decided = kind_tag(row.under.kind) if row.under is not None and row.under.is_go else ""
    if uncovered(row):
        decided = format_html('{} <b class="late uncovered">{}</b>', decided, _("no longer covers"))
    review = (
        format_html("<span>{}</span>", ngettext("{n} to review", "{n} to review", row.waiting).format(n=row.waiting))
        if row.waiting
        else ""
    )
    return format_html('<span class="small waits">{} {}</span>', decided, review) if decided or review else ""


def _strip(row: Row, section: int | None) -> SafeString:
    sections: dict[int, list[str]] = {}
    counted: dict[int, Status] = {}
    for entry in row.entries:
        if section is None or entry.section_id == section:
            status = row.statuses.get(entry.pk)
            sections.setdefault(entry.section_id, []).append(_CELLS[status] if status else _CELL_OF_NOTHING)
            if status:
                counted[entry.pk] = status
    cells = "".join(f"<span>{''.join(found)}</span>" for found in sections.values())
    return format_html(
        '<span class="strip" role="img" aria-label="{}">{}</span>',
        in_words(counted),
        mark_safe(cells),  # noqa: S308
    )


def _left_items(row: Row, left: Left) -> SafeString | str:
    if not left:
        return ""
    sheet = row.environment.get_absolute_url()
    items = format_html_join(
        "",
        '<li><a href="{}#item-{}">{}</a>{}</li>',
        (
            (sheet, slug, title, format_html(' <span class="faint">{}</span>', owner) if owner else "")
            for slug, title, owner in left
        ),
    )
    return format_html('<ul class="still-left small">{}</ul>', items)


def _waived(slug: str, waived: int) -> SafeString | str:
    if not waived:
        return "0"
    return format_html(
        '<a href="{}?state=holding&amp;kind=waiver&amp;service={}">{}<span class="unseen"> {}</span></a>',
        reverse("waivers"),
        slug,
        waived,
        ngettext("waived in {service}", "waived in {service}", waived).format(service=slug),
    )


def _launch(day: date | None, today: date) -> SafeString:
    if day is None:
        return format_html('<span class="faint">{}</span>', _("no date"))
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), day_words(day, today))


def _forecast(at_launch: Tally | None) -> str:
    if at_launch is None:
        return _SAYS_ALONE
    words = escape(verdict_words(at_launch))
    return f'<td class="c-forecast lesser"><span class="verdict {at_launch.verdict}">{words}</span></td>'


def _last(instant: datetime | None, now: datetime) -> str:
    if instant is None:
        return f'<td class="c-probe lesser small soft">{escape(_("never"))}</td></tr>'
    return (
        f'<td class="c-probe lesser small soft"><time datetime="{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" data-ago>'
        f"{ago_words(instant, now)}</time></td></tr>"
    )
