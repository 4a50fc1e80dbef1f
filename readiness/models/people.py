"""People and the teams they are in."""

from collections.abc import Iterable
from functools import cached_property

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy

from readiness.rules.names import validate_slug
from readiness.rules.permissions import Actor


class User(AbstractUser):
    """A person. Everyone signed in reads everything; a manager is a reader without a team."""

    is_reviewer = models.BooleanField(
        gettext_lazy("reviewer"),
        default=False,
        help_text=gettext_lazy(
            "Grants and refuses waivers that somebody else asked for, and decides in launch reviews."
        ),
    )
    is_auditor = models.BooleanField(
        gettext_lazy("auditor"),
        default=False,
        help_text=gettext_lazy("Reads everything, like everybody, and exports the ledger."),
    )
    keys_off = models.BooleanField(
        gettext_lazy("no single-letter keys"),
        default=False,
        help_text=gettext_lazy("Pages do not listen to single letters, for people who speak or whose hands slip."),
    )
    language = models.CharField(
        gettext_lazy("language"),
        max_length=10,
        blank=True,
        default="",
        help_text=gettext_lazy("Empty: the one that the browser asks for."),
    )

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        words = (self.get_full_name() or self.username).replace("-", " ").replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"

    @cached_property
    def actor(self) -> Actor:
        """What the rules need to know of this person. One query, once a request."""
        return self._actor(self.memberships.values_list("team_id", flat=True))

    def found_in(self, teams: Iterable[int]) -> None:
        """Take it that these are their teams, read together with something else: ``actor`` then asks for none."""
        self.actor = self._actor(teams)

    def _actor(self, teams: Iterable[int]) -> Actor:
        return Actor(
            id=self.pk,
            is_admin=self.is_active and self.is_superuser,
            is_reviewer=self.is_active and self.is_reviewer,
            is_auditor=self.is_active and self.is_auditor,
            teams=frozenset(teams) if self.is_active else frozenset(),
        )


class Team(models.Model):
    """A group of people that owns services."""

    slug = models.SlugField(max_length=60, unique=True, validators=[validate_slug])
    name = models.CharField(max_length=80, unique=True)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One person in one team."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
