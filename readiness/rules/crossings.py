"""Two people save one thing: what of it both touched. Pure; values are compared as texts."""

from enum import StrEnum


class Side(StrEnum):
    """Who changed one setting since the version that a person saw: nobody, somebody else, this person, or both."""

    UNCHANGED = "unchanged"
    THEIRS = "theirs"
    MINE = "mine"
    ALIKE = "alike"
    BOTH = "both"


def side_of(*, seen: str, saved: str, mine: str) -> Side:
    """Return who changed a setting from what was seen, given what is saved now and what this person typed.

    ``ALIKE``: both changed it to the same. What others changed and changed back is as it was seen.
    """
    if saved == seen:
        return Side.UNCHANGED if mine == seen else Side.MINE
    if mine == seen:
        return Side.THEIRS
    return Side.ALIKE if mine == saved else Side.BOTH
