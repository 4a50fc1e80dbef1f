"""Load a checklist from its file: add what is new, rewrite words, retire what is gone. Slugs are identities."""

from datetime import datetime

from django.db import transaction

from readiness.models import Checklist, Clause, Entry, Environment, Item, Section
from readiness.rules.checklist_file import ChecklistFile, ClauseFile, EntryFile

from . import ledger
from .folding import lock_item, refresh
from .services import add_missing_items


class OlderVersion(Exception):
    """The database holds a newer version than the file."""


@transaction.atomic
def load(file: ChecklistFile, *, now: datetime) -> bool:
    """Bring a checklist to the version of a file; return whether anything was loaded.

    The same version is loaded once: edit the file, count its version up, load again. Items are added for new entries;
    what is gone is retired with its answers kept.
    """
    held = Checklist.objects.select_for_update().filter(slug=file.slug).first()
    if held is not None and held.version == file.version:
        return False
    if held is not None and held.version > file.version:
        raise OlderVersion(f"{file.slug} is at version {held.version} already; the file has {file.version}.")
    words = {"name": file.name, "version": file.version, "changes": file.changes}
    checklist, _ = Checklist.objects.update_or_create(slug=file.slug, defaults=words)
    kept: set[int] = set()
    meant = _meanings()
    for number, part in enumerate(file.sections):
        section, _ = Section.objects.update_or_create(
            checklist=checklist, slug=part.slug, defaults={"name": part.name, "short": part.short, "position": number}
        )
        for place, entry in enumerate(part.entries):
            kept.add(_load_entry(entry, section, place, now))
    Entry.objects.filter(section__checklist=checklist, retired_at=None).exclude(pk__in=kept).update(retired_at=now)
    for environment in Environment.objects.select_related("service"):
        add_missing_items(environment)
    _fold_again([entry for entry, meaning in _meanings().items() if meant.get(entry, meaning) != meaning], now)
    ledger.record("checklist.loaded", by=None, at=now, data={"checklist": file.slug, "version": file.version})
    return True


def _meanings() -> dict[int, tuple[bool, frozenset[tuple[str, str]]]]:
    """Return, for each entry, what its items' facts are folded by: whether builds matter, and clauses with probes."""
    clauses: dict[int, set[tuple[str, str]]] = {}
    for entry, slug, probe in Clause.objects.filter(retired_at=None).values_list("entry_id", "slug", "probe"):
        clauses.setdefault(entry, set()).add((slug, probe))
    bound = Entry.objects.values_list("pk", "build_bound")
    return {entry: (builds, frozenset(clauses.get(entry, ()))) for entry, builds in bound}


def _fold_again(entries: list[int], now: datetime) -> None:
    """Fold the items whose entries ask for something else now: a new clause is met by nothing that was said before."""
    again = Item.objects.filter(entry__in=entries).order_by("pk").values_list("pk", flat=True)
    for item in [lock_item(item_id) for item_id in again]:
        refresh(item, now=now)


def _load_entry(file: EntryFile, section: Section, place: int, now: datetime) -> int:
    entry, _ = Entry.objects.update_or_create(
        slug=file.slug,
        defaults={
            "section": section,
            "title": file.title,
            "text": file.text,
            "scope": file.scope,
            "kinds": [str(kind) for kind in file.kinds],
            "build_bound": file.build_bound,
            "why": file.why,
            "how": file.how,
            "evidence": file.evidence,
            "not_covered": file.not_covered,
            "position": place,
            "retired_at": None,
        },
    )
    kept = [_load_clause(clause, entry, number) for number, clause in enumerate(file.clauses)]
    Clause.objects.filter(entry=entry, retired_at=None).exclude(pk__in=kept).update(retired_at=now)
    return entry.pk


def _load_clause(file: ClauseFile, entry: Entry, place: int) -> int:
    clause, _ = Clause.objects.update_or_create(
        entry=entry,
        slug=file.slug,
        defaults={
            "text": file.text,
            "probe": file.probe,
            "fresh_pass": file.fresh_pass,
            "fresh_tick": file.fresh_tick,
            "tick_needs_link": file.tick_needs_link,
            "position": place,
            "retired_at": None,
        },
    )
    return clause.pk
