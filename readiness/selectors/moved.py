"""What moved on an environment since it was last decided on: where its next review starts from."""

from dataclasses import dataclass

from readiness.models import Decision
from readiness.rules.moved import ItemStands, Move, Way, moves

from .launches import LaunchLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moved since a decision: ``moves`` with the worse ones first, none where all stands as it was frozen."""

    decision: Decision
    moves: list[Move]

    @property
    def worse(self) -> list[Move]:
        """What got worse, and what came to the sheet and is not settled."""
        return [
            one
            for one in self.moves
            if one.way is Way.WORSE or (one.way is Way.NEW and one.after is not None and not one.after.settled)
        ]

    @property
    def better(self) -> list[Move]:
        """What got better."""
        return [one for one in self.moves if one.way is Way.BETTER]


def moved_since_decision(line: LaunchLine) -> Moved | None:
    """Return what moved on an environment since the decision that stands on it, a no-go among them. No query.

    None where nothing was decided yet, where the snapshot is not the one that was decided on, and where the
    environment is archived.
    """
    if line.coverage is None or line.coverage.snapshot is None:
        return None
    now = [
        ItemStands(item=one.item.pk, entry=one.entry.slug, title=one.entry.title, status=one.status)
        for one in line.items
    ]
    return Moved(decision=line.coverage.decision, moves=moves(line.coverage.snapshot.items, now))
