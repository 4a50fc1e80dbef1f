"""Checklists as versioned data: landed from files, referred to by slug.

``translations`` maps a language, such as ``fr``, to words by the name of their column; such a column reads in the
language of the page.
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from readiness.enums.words import Kind, Scope

from .in_language import Translated, TranslatedChar, TranslatedText
from .people import Team, User


class Checklist(Translated):
    """A named, versioned, ordered list of entries in sections. With a ``team`` only that team's services answer it."""

    slug = models.SlugField(max_length=60, unique=True)
    name = TranslatedChar(max_length=120)
    version = models.PositiveIntegerField()
    changes = TranslatedText(help_text="What this version changed, for the people who answer it.")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="checklists")

    def __str__(self) -> str:
        return self.name


class ChecklistVersion(models.Model):
    """One version of a checklist as it was landed: its file, word for word, by whom (None: shipped) and when."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    text = models.TextField()
    changes = models.TextField()
    landed_at = models.DateTimeField()
    landed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["checklist", "-version"]
        constraints = [models.UniqueConstraint(fields=["checklist", "version"], name="checklist_version_once")]

    def __str__(self) -> str:
        return f"{self.checklist_id} v{self.version}"


class Section(Translated):
    """A group of entries, drawn with a gap in the strip."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="sections")
    slug = models.SlugField(max_length=60)
    name = TranslatedChar(max_length=80)
    short = TranslatedChar(max_length=30)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["checklist__slug", "position"]
        constraints = [models.UniqueConstraint(fields=["checklist", "slug"], name="section_slug_in_checklist")]

    def __str__(self) -> str:
        return self.name


class Entry(Translated):
    """One line of a checklist. ``kinds`` lists the kinds of environment that it applies to.

    ``slug`` is its address. In a team's own checklist it begins with the checklist's slug and two hyphens, so that two
    teams may use the same words. ``meanings`` maps the number of each later meaning to the instant from which it holds;
    an entry that is not in it still means what it first meant (1). ``counts_from`` is None where it always counted.
    """

    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="entries")
    slug = models.SlugField(max_length=130, unique=True)
    title = TranslatedChar(max_length=60)
    text = TranslatedText()
    scope = models.CharField(max_length=12, choices=Scope.choices)
    kinds = models.JSONField(default=list)
    build_bound = models.BooleanField(default=False)
    why = TranslatedText()
    how = TranslatedText()
    evidence = TranslatedText(help_text="What good evidence looks like.")
    not_covered = TranslatedText(blank=True, help_text="What no probe can see.")
    position = models.PositiveSmallIntegerField()
    meanings = models.JSONField(default=dict, blank=True)
    counts_from = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = [
            F("section__checklist__team__slug").asc(nulls_first=True),
            "section__checklist__slug",
            "section__position",
            "position",
        ]
        verbose_name_plural = "entries"
        constraints = [models.CheckConstraint(condition=Q(scope__in=Scope.values), name="entry_scope_known")]

    def __str__(self) -> str:
        return self.title

    @property
    def meaning(self) -> int:
        """The number of what the entry means by its newest version, also where that only holds from a later instant."""
        return _newest_meaning(self.meanings)

    def applies_to(self, kind: str) -> bool:
        """Return whether an environment of this kind answers this entry."""
        return Kind(kind).value in self.kinds


class Clause(Translated):
    """One part of an entry that a probe observes or a person attests. ``probe`` is the observer's slug, or empty.

    ``meanings`` and ``counts_from`` are as those of an entry.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="clauses")
    slug = models.SlugField(max_length=60)
    text = TranslatedText()
    probe = models.CharField(max_length=60, blank=True)
    fresh_pass = models.DurationField(null=True, blank=True)
    fresh_tick = models.DurationField()
    tick_needs_link = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField()
    meanings = models.JSONField(default=dict, blank=True)
    counts_from = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["entry", "position"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "slug"], name="clause_slug_in_entry"),
            models.CheckConstraint(
                condition=Q(probe="") | Q(fresh_pass__isnull=False), name="clause_probe_with_freshness"
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def meaning(self) -> int:
        """The number of what the clause means by its newest version; statements carry it."""
        return _newest_meaning(self.meanings)


def meaning_at(meanings: dict[str, str], at: datetime) -> int:
    """Return the number of the meaning that is in force at an instant."""
    held = [int(number) for number, since in meanings.items() if datetime.fromisoformat(since) <= at]
    return max(held, default=1)


def _newest_meaning(meanings: dict[str, str]) -> int:
    return max((int(number) for number in meanings), default=1)
