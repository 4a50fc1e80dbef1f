"""Checklists as data: loaded from files, referred to by slug."""

from django.db import models
from django.db.models import Q

from readiness.enums.words import Kind, Scope


class Checklist(models.Model):
    """A named, versioned, ordered list of entries in sections."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    changes = models.TextField(help_text="What this version changed, for the people who answer it.")

    def __str__(self) -> str:
        return self.name


class Section(models.Model):
    """A group of entries, drawn with a gap in the strip."""

    checklist = models.ForeignKey(Checklist, on_delete=models.PROTECT, related_name="sections")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=80)
    short = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["checklist__slug", "position"]
        constraints = [models.UniqueConstraint(fields=["checklist", "slug"], name="section_slug_in_checklist")]

    def __str__(self) -> str:
        return self.name


class Entry(models.Model):
    """One line of a checklist. ``kinds`` lists the kinds of environment that it applies to."""

    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="entries")
    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=60)
    text = models.TextField()
    scope = models.CharField(max_length=12, choices=Scope.choices)
    kinds = models.JSONField(default=list)
    build_bound = models.BooleanField(default=False)
    why = models.TextField()
    how = models.TextField()
    evidence = models.TextField(help_text="What good evidence looks like.")
    not_covered = models.TextField(blank=True, help_text="What no probe can see.")
    position = models.PositiveSmallIntegerField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["section__checklist__slug", "section__position", "position"]
        verbose_name_plural = "entries"
        constraints = [models.CheckConstraint(condition=Q(scope__in=Scope.values), name="entry_scope_known")]

    def __str__(self) -> str:
        return self.title

    def applies_to(self, kind: str) -> bool:
        """Return whether an environment of this kind answers this entry."""
        return Kind(kind).value in self.kinds


class Clause(models.Model):
    """One part of an entry that a probe observes or a person attests. ``probe`` is the observer's slug, or empty."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="clauses")
    slug = models.SlugField(max_length=60)
    text = models.TextField()
    probe = models.CharField(max_length=60, blank=True)
    fresh_pass = models.DurationField(null=True, blank=True)
    fresh_tick = models.DurationField()
    tick_needs_link = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField()
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
