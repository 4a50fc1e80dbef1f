"""Words and small marks for pages: dates as people say them, statuses, verdicts, the strip.

The tags read ``now`` from the context of the page, and the wall clock only where a page does not give it.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from readiness.enums.standing import Status, Verdict
from readiness.models import Entry, Run, Team
from readiness.rules import spoken
from readiness.rules.permissions import Actor
from readiness.rules.verdicts import Tally
from readiness.selectors.strips import Cell, Strip

from .date_words import ago_words, day_and_time, day_words, end_words, exact_words, span_words

register = template.Library()

_VERDICTS = {
    Verdict.READY: gettext_lazy("Ready"),
    Verdict.READY_WITH_WAIVERS: gettext_lazy("Ready with waivers"),
    Verdict.NOT_READY: gettext_lazy("Not ready"),
    Verdict.REGRESSED: gettext_lazy("Regressed"),
}
LETTERS = {
    Status.VERIFIED: "v",
    Status.ATTESTED: "a",
    Status.WAIVED: "w",
    Status.FAILING: "f",
    Status.STALE: "s",
    Status.OPEN: "o",
    Status.NOT_APPLICABLE: "n",
    None: "n",
}
LEGENDS = (
    ("v", gettext_lazy("Verified by probe")),
    ("a", gettext_lazy("Attested by a person")),
    ("w", pgettext_lazy("status", "Waived")),
    ("f", pgettext_lazy("status", "Failing")),
    ("o", pgettext_lazy("status", "Open")),
    ("s", pgettext_lazy("status", "Stale")),
    ("n", pgettext_lazy("status", "Not applicable")),
)


# --- dates and durations ----------------------------------------------------------------------------------------------
def now_of(context: Context) -> datetime:
    """Return the instant that a page is drawn at: its own ``now``, or the wall clock."""
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()


@register.simple_tag
def exact(instant: datetime) -> str:
    """Draw an instant in full, for paper: there is nothing to hover there."""
    return format_html('<time datetime="{}">{}</time>', instant.isoformat(timespec="seconds"), exact_words(instant))


@register.simple_tag(takes_context=True)
def ago(context: Context, instant: datetime | None) -> str:
    """Draw how long ago an instant was, with the exact one on hover. Nothing for None."""
    if instant is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        instant.isoformat(timespec="seconds"),
        exact_words(instant),
        ago_words(instant, now_of(context)),
    )


@register.simple_tag(takes_context=True)
def day(context: Context, when: date | datetime | None) -> str:
    """Draw a day as people say it, with the full date on hover. Nothing for None."""
    if when is None:
        return ""
    today = timezone.localdate(now_of(context))
    if isinstance(when, datetime):
        words, title = day_words(timezone.localdate(when), today), exact_words(when)
    else:
        words, title = day_words(when, today), spoken.full_day(when)
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), title, words)


@register.simple_tag(takes_context=True)
def end(context: Context, instant: datetime | None) -> str:
    """Draw an end, the first instant that no longer counts. Nothing for None."""
    if instant is None:
        return ""
    words = end_words(instant, now_of(context))
    stamp = instant.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, exact_words(instant), words)


@register.simple_tag(takes_context=True)
def elapsed(context: Context, since: datetime | None) -> str:
    """Say how long something has gone on, in whole seconds: "7 s"; "0 s" for None."""
    seconds = int((now_of(context) - since).total_seconds()) if since else 0
    return _("{n} s").format(n=max(0, seconds))


@register.simple_tag
def took(run: Run) -> str:
    """Say how long a run took, from its start to its end: "0.4 s", "12 s"; nothing while it goes on."""
    if run.started_at is None or run.finished_at is None:
        return ""
    seconds = max(0.0, (run.finished_at - run.started_at).total_seconds())
    return _("{n} s").format(n=spoken.decimal(f"{seconds:.1f}") if seconds < 10 else f"{seconds:.0f}")


@register.simple_tag(takes_context=True)
def overdue(context: Context, due_on: date | None) -> bool:
    """Tell whether a due date lies behind; its own day still counts."""
    return due_on is not None and due_on < timezone.localdate(now_of(context))


@register.filter
def span(value: timedelta | None) -> str:
    """Draw a duration; nothing for None."""
    return span_words(value) if value is not None else ""


@register.filter
def long_day(when: date | datetime) -> str:
    """Draw a day in full, for what is said on paper or far ahead: "3 March 2026"."""
    return spoken.long_day(timezone.localdate(when) if isinstance(when, datetime) else when)


@register.filter
def short_date(day: date) -> str:
    """Draw a day with its year where there is little room: "3 Mar 2026"."""
    return f"{spoken.short_day(day)} {day.year}"


@register.filter
def short_moment(instant: datetime) -> str:
    """Draw an instant where there is little room: "3 Mar 14:30"."""
    local = timezone.localtime(instant)
    return day_and_time(spoken.short_day(local), local)


@register.filter
def clock(instant: datetime) -> str:
    """Draw the time of day of an instant: "14:30"."""
    return spoken.clock(timezone.localtime(instant))


@register.filter
def percent(share: float) -> str:
    """Draw a share of a hundred: "87%"."""
    return spoken.percent_words(share)


# --- verdicts and statuses --------------------------------------------------------------------------------------------
@register.filter
def verdict_word(verdict: str) -> str:
    """Return a verdict in words; a word that is none is returned as it is."""
    return str(_VERDICTS[Verdict(verdict)]) if verdict in set(Verdict) else verdict


@register.filter
def verdict_words(tally: Tally) -> str:
    """Return the verdict of a tally, with the number of waivers that it rests on: "Ready, 1 waiver"."""
    if tally.verdict is Verdict.READY_WITH_WAIVERS:
        return ngettext("Ready, {n} waiver", "Ready, {n} waivers", tally.waived).format(n=tally.waived)
    return str(_VERDICTS[tally.verdict])


@register.filter
def status_word(status: Status | None) -> str:
    """Return a status in words; None is an entry that does not apply here."""
    return spoken.status_words(status) if status else _("does not apply here")


@register.simple_tag
def status_tag(status: Status | None) -> SafeString:
    """Draw a status as a word on its tint."""
    return format_html('<span class="tag {}">{}</span>', status or "not-applicable", status_word(status))


@register.simple_tag
def mark(status: Status | None) -> SafeString:
    """Draw the box at the head of an item: a shape for each status. A word always stands beside it."""
    return format_html('<span class="mark {}" aria-hidden="true"></span>', status or "not-applicable")


@register.simple_tag
def legend() -> SafeString:
    """Draw what the cells of a strip mean."""
    cells = format_html_join("", '<li><i class="cell {}"></i>{}</li>', LEGENDS)
    return format_html('<ul class="legend" aria-label="{}">{}</ul>', _("What the cells mean"), cells)


# --- the strip --------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1024)
def _cell(status: Status | None, said: str) -> str:
    return format_html('<i class="{}" title="{}"></i>', LETTERS[status], said)


@register.simple_tag
def strip_image(strip: Strip, name: str = "") -> SafeString:
    """Draw a strip as one picture with one sentence: for pages that hold many. Cells name themselves on hover."""
    sections = "".join(
        f"<span>{''.join(_cell(cell.status, spoken.labelled(cell.title, cell.word)) for cell in section)}</span>"
        for section in strip.sections
    )
    said = spoken.labelled(name, strip.sentence) if name else strip.sentence
    # Every part of `sections` is escaped in _cell.
    return format_html('<span class="strip" role="img" aria-label="{}">{}</span>', said, mark_safe(sections))  # noqa: S308


@register.simple_tag
def strip_links(strip: Strip) -> SafeString:
    """Draw a strip whose cells are links to the items of the same page."""
    sections = format_html_join("", "<span>{}</span>", ((_links(section),) for section in strip.sections))
    said = _("Items: {sentence}").format(sentence=strip.sentence)
    return format_html('<nav class="strip" aria-label="{}" data-roving>{}</nav>', said, sections)


def _links(cells: tuple[Cell, ...]) -> SafeString:
    return format_html_join(
        "",
        '<a class="{0}" id="cell-{1}" href="#item-{1}" title="{2}" aria-label="{2}"></a>',
        ((LETTERS[cell.status], cell.slug, spoken.labelled(cell.title, cell.word)) for cell in cells),
    )


@register.filter
def entry_slugs(strip: Strip) -> str:
    """Return the entries of a strip in its order, so that a page need name them only once."""
    return " ".join(cell.slug for section in strip.sections for cell in section)


# --- people -----------------------------------------------------------------------------------------------------------
def initials_of(name: str) -> str:
    """Return two letters for an avatar; "?" for no name."""
    words = re.findall(r"\w+", name)
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.simple_tag
def avatar(person: object | None, role: str = "") -> SafeString:
    """Draw a person as two letters with the name on hover; a dashed ring where there is nobody. ``role`` is "Owner"."""
    role = role or _("Owner")
    if person is None:
        said = _("No {role}").format(role=role.lower())
        return format_html('<span class="avatar none" title="{0}"><span class="unseen">{0}</span></span>', said)
    return format_html(
        '<span class="avatar" title="{0}"><span aria-hidden="true">{1}</span><span class="unseen">{0}</span></span>',
        spoken.labelled(role, person),
        initials_of(str(person)),
    )


@register.filter
def role_words(actor: Actor | None) -> str:
    """Return what a person may do, in one or two words."""
    if actor is None:
        return ""
    held = ((actor.is_admin, _("Admin")), (actor.is_reviewer, _("Reviewer")), (actor.is_auditor, _("Auditor")))
    roles = [word for holds, word in held if holds]
    if actor.teams:
        roles.append(_("Team member"))
    return ", ".join(roles) or _("Reader")


# --- addresses and text -----------------------------------------------------------------------------------------------
@register.simple_tag
def item_url(name: str, environment: object, entry_slug: str, *rest: object) -> str:
    """Return the address of something about an item: ``{% item_url "item-tick" environment entry.slug %}``."""
    service = environment.service.slug  # type: ignore[attr-defined]
    return reverse(name, args=[service, environment.name, entry_slug, *rest])  # type: ignore[attr-defined]


@register.filter
def short_link(url: str) -> str:
    """Return a link short enough to read: host and the last part of its path, at most 48 characters."""
    bare = re.sub(r"^https?://", "", url).rstrip("/")
    host, _, path = bare.partition("/")
    last = path.rpartition("/")[2]
    words = f"{host}/…/{last}" if "/" in path else bare
    return words if len(words) <= 48 else words[:47] + "…"


@register.filter
def original_text(entry: Entry) -> str:
    """Return what an entry asks as it was written, where the page says it in another language; else nothing."""
    with translation.override(None):
        written = entry.text
    return written if written != entry.text else ""


@register.filter
def paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text: blank lines part them."""
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


@register.filter
def get(mapping: object, key: str) -> object:
    """Return ``mapping[key]``, or nothing: for keys that a template only has in a variable."""
    return mapping.get(key, "") if isinstance(mapping, dict) else ""


# --- the bar ---------------------------------------------------------------------------------------------------------
_AREAS = {
    "my-items": "mine",
    "waivers": "register",
    "checklists": "checklists",
    "launches": "launches",
    "reviews": "launches",
    "decisions": "launches",
    "probes": "probes",
    "search": "search",
    "ledger": "ledger",
    "tokens": "tokens",
    "password": "password",
    "calendar": "calendar",
}


@register.simple_tag(takes_context=True)
def area(context: Context) -> str:
    """Return which entry of the bar a page belongs to; the overview's, where it has none of its own."""
    first = context["request"].path.strip("/").partition("/")[0]
    return _AREAS.get(first, "overview")


# --- filters of the overview ------------------------------------------------------------------------------------------
def _kinds_query(context: Context, change: Callable[[list[str]], list[str]]) -> str:
    query = context["request"].GET.copy()
    query.setlist("kind", change(query.getlist("kind")))
    query.pop("since", None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def kinds_with(context: Context, kind: str) -> str:
    """Return the query of this page with one kind of environment more."""
    return _kinds_query(context, lambda kinds: [*kinds, kind])


@register.simple_tag(takes_context=True)
def kinds_without(context: Context, kind: str) -> str:
    """Return the query of this page with one kind of environment less."""
    return _kinds_query(context, lambda kinds: [one for one in kinds if one != kind])


@register.simple_tag
def team_name(teams: Iterable[Team], slug: str) -> str:
    """Return the name of the team that a filter names, or what it means to name none."""
    return next((team.name for team in teams if team.slug == slug), slug or _("Any team"))
