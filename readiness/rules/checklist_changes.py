"""What one version of a checklist changes against the one before it. Pure; slugs are identities."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _

from .checklist_file import ChecklistFile, ClauseFile, EntryFile
from .checklist_table import LANGUAGES
from .marking import gettext_noop
from .spoken import in_language, long_day


class ChangeKind(StrEnum):
    """What a change is, the one that matters most first. ``heading`` is what stands above a list of them."""

    ADDED = "added"
    RETIRED = "retired"
    MEANS_ANOTHER_THING = "means-another-thing"
    CLAUSE_ADDED = "clause-added"
    CLAUSE_REMOVED = "clause-removed"
    FOLDED_ANOTHER_WAY = "folded-another-way"
    FRESHNESS = "freshness"
    BEGINS = "begins"
    REWORDED = "reworded"
    MOVED = "moved"

    @property
    def heading(self) -> str:
        """A few words above a list of changes of this kind."""
        return gettext(_HEADINGS[self])


_HEADINGS = {
    ChangeKind.ADDED: gettext_noop("Entries added"),
    ChangeKind.RETIRED: gettext_noop("Entries retired"),
    ChangeKind.MEANS_ANOTHER_THING: gettext_noop("Another meaning"),
    ChangeKind.CLAUSE_ADDED: gettext_noop("Clauses added"),
    ChangeKind.CLAUSE_REMOVED: gettext_noop("Clauses removed"),
    ChangeKind.FOLDED_ANOTHER_WAY: gettext_noop("Where, by whom and how it is answered"),
    ChangeKind.FRESHNESS: gettext_noop("Freshness"),
    ChangeKind.BEGINS: gettext_noop("Another day to begin to count"),
    ChangeKind.REWORDED: gettext_noop("Other words, same meaning"),
    ChangeKind.MOVED: gettext_noop("Other place"),
}
_PARTS = {
    "title": gettext_noop("title"),
    "text": gettext_noop("text"),
    "why": gettext_noop("why"),
    "how": gettext_noop("how"),
    "evidence": gettext_noop("evidence"),
    "not_covered": gettext_noop("not covered"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. ``entry`` and ``clause`` are slugs; ``clause`` is empty where it is about the entry.

    ``counts_from`` is the day that the new version names for it. ``before`` and ``after`` are texts, or empty.
    """

    kind: ChangeKind
    entry: str
    title: str
    clause: str = ""
    what: str = ""
    before: str = ""
    after: str = ""
    counts_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """The changes of one kind, in the order of the checklist."""

    kind: ChangeKind
    changes: tuple[Change, ...]


def changes(old: ChecklistFile | None, new: ChecklistFile) -> list[ChangeGroup]:
    """Return what ``new`` changes against ``old``; everything is added where there is no old one."""
    found = list(_all(old, new))
    groups = ((kind, tuple(one for one in found if one.kind is kind)) for kind in ChangeKind)
    return [ChangeGroup(kind=kind, changes=some) for kind, some in groups if some]


def _all(old: ChecklistFile | None, new: ChecklistFile) -> Iterator[Change]:
    before = {entry.slug: entry for entry in old.entries} if old else {}
    after = {entry.slug for entry in new.entries}
    for entry in new.entries:
        if entry.slug not in before:
            yield Change(
                kind=ChangeKind.ADDED,
                entry=entry.slug,
                title=_title(entry),
                after=entry.text,
                counts_from=entry.counts_from,
            )
        else:
            yield from _entry(before[entry.slug], entry)
    for entry in before.values():
        if entry.slug not in after:
            yield Change(kind=ChangeKind.RETIRED, entry=entry.slug, title=_title(entry), before=entry.text)
    if old is not None:
        yield from _moved(old, new)


def _entry(old: EntryFile, new: EntryFile) -> Iterator[Change]:
    def change(kind: ChangeKind, what: str = "", before: str = "", after: str = "") -> Change:
        return Change(
            kind=kind,
            entry=new.slug,
            title=_title(new),
            what=what,
            before=before,
            after=after,
            counts_from=new.counts_from if kind in (ChangeKind.MEANS_ANOTHER_THING, ChangeKind.BEGINS) else None,
        )

    if new.meaning != old.meaning:
        yield change(ChangeKind.MEANS_ANOTHER_THING, before=_other(old.text, new.text), after=new.text)
    elif new.counts_from != old.counts_from:
        yield change(ChangeKind.BEGINS, before=_day(old.counts_from), after=_day(new.counts_from))
    if new.kinds != old.kinds:
        yield change(ChangeKind.FOLDED_ANOTHER_WAY, _("applies to"), ", ".join(old.kinds), ", ".join(new.kinds))
    if new.scope != old.scope:
        yield change(ChangeKind.FOLDED_ANOTHER_WAY, _("scope"), old.scope, new.scope)
    if new.build_bound != old.build_bound:
        yield change(ChangeKind.FOLDED_ANOTHER_WAY, _("build-bound"), _yes(old.build_bound), _yes(new.build_bound))
    for name, part in _PARTS.items():
        said, says = getattr(old, name), getattr(new, name)
        if said != says and not (name == "text" and new.meaning != old.meaning):
            yield change(ChangeKind.REWORDED, gettext(part), said, says)
    for what, said, says in _translated(old, new, _PARTS):
        yield change(ChangeKind.REWORDED, what, said, says)
    yield from _clauses(old, new)


def _clauses(old: EntryFile, new: EntryFile) -> Iterator[Change]:
    before = {clause.slug: clause for clause in old.clauses}
    after = {clause.slug for clause in new.clauses}
    for clause in new.clauses:
        if clause.slug not in before:
            yield Change(
                kind=ChangeKind.CLAUSE_ADDED,
                entry=new.slug,
                title=_title(new),
                clause=clause.slug,
                after=clause.text,
                counts_from=clause.counts_from,
            )
        else:
            yield from _clause(new, before[clause.slug], clause)
    for clause in old.clauses:
        if clause.slug not in after:
            yield Change(
                kind=ChangeKind.CLAUSE_REMOVED,
                entry=new.slug,
                title=_title(new),
                clause=clause.slug,
                before=clause.text,
            )


def _clause(entry: EntryFile, old: ClauseFile, new: ClauseFile) -> Iterator[Change]:
    def change(kind: ChangeKind, what: str, before: str, after: str) -> Change:
        return Change(
            kind=kind,
            entry=entry.slug,
            title=_title(entry),
            clause=new.slug,
            what=what,
            before=before,
            after=after,
            counts_from=new.counts_from if kind in (ChangeKind.MEANS_ANOTHER_THING, ChangeKind.BEGINS) else None,
        )

    if new.meaning != old.meaning:
        yield change(ChangeKind.MEANS_ANOTHER_THING, "", _other(old.text, new.text), new.text)
    elif new.text != old.text:
        yield change(ChangeKind.REWORDED, _("text"), old.text, new.text)
    for what, said, says in _translated(old, new, {"text": _PARTS["text"]}):
        yield change(ChangeKind.REWORDED, what, said, says)
    if new.meaning == old.meaning and new.counts_from != old.counts_from:
        yield change(ChangeKind.BEGINS, "", _day(old.counts_from), _day(new.counts_from))
    if new.probe != old.probe:
        yield change(
            ChangeKind.FOLDED_ANOTHER_WAY, _("observer"), old.probe or _("a person"), new.probe or _("a person")
        )
    if new.tick_needs_link != old.tick_needs_link:
        yield change(
            ChangeKind.FOLDED_ANOTHER_WAY,
            _("a tick needs a link"),
            _yes(old.tick_needs_link),
            _yes(new.tick_needs_link),
        )
    if new.fresh_pass != old.fresh_pass:
        yield change(ChangeKind.FRESHNESS, _("a pass"), _span(old.fresh_pass), _span(new.fresh_pass))
    if new.fresh_tick != old.fresh_tick:
        yield change(ChangeKind.FRESHNESS, _("a tick"), _span(old.fresh_tick), _span(new.fresh_tick))


def _moved(old: ChecklistFile, new: ChecklistFile) -> Iterator[Change]:
    was = {entry.slug: section for section in old.sections for entry in section.entries}
    for section in new.sections:
        for entry in section.entries:
            before = was.get(entry.slug)
            if before is not None and before.slug != section.slug:
                yield Change(
                    kind=ChangeKind.MOVED,
                    entry=entry.slug,
                    title=_title(entry),
                    what=_("section"),
                    before=before.name,
                    after=section.name,
                )


def _translated(
    old: EntryFile | ClauseFile, new: EntryFile | ClauseFile, parts: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield what other words a translation has: no matter of meaning, whatever they are."""
    for language in LANGUAGES:
        before, after = old.translations.get(language, {}), new.translations.get(language, {})
        for name, part in parts.items():
            said, says = before.get(name, ""), after.get(name, "")
            if said != says:
                yield _("{part} ({language})").format(part=gettext(part), language=language), said, says


def _title(entry: EntryFile) -> str:
    return in_language(entry.title, entry.translations, "title")


def _other(old: str, new: str) -> str:
    return old if old != new else ""


def _day(day: date | None) -> str:
    return long_day(day) if day else _("when the version landed")


def _yes(value: bool) -> str:
    return _("yes") if value else _("no")


def _span(span: timedelta | None) -> str:
    if span is None:
        return _("none")
    if span >= timedelta(days=2):
        return ngettext("{n} day", "{n} days", span.days).format(n=span.days)
    return _("{n} h").format(n=span // timedelta(hours=1))
