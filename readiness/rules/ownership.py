"""Who counts as the owner of an item: nobody, where its owner has left."""

from dataclasses import dataclass

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who an item names as its owner, by name; empty where it names nobody.

    ``here`` says whether that is an active member of the team. It is asked each time: nothing is rewritten where
    somebody leaves or comes back.
    """

    name: str
    here: bool

    @property
    def nobody(self) -> bool:
        """Whether the item has nobody who looks after it: it is offered to the team."""
        return not self.name or not self.here

    @property
    def words(self) -> str:
        """Who owns it in words: "Mia Roy", "nobody (Mia Roy has left)", "nobody"."""
        if not self.name:
            return _("nobody")
        return self.name if self.here else _("nobody ({name} has left)").format(name=self.name)


def take_refusals(owner: Owner, *, is_member: bool, team: str) -> list[str]:
    """Return why a person may not make themselves the owner of an item of a team; ``is_member``: of that team."""
    if not is_member:
        return [
            _("An owner is a member of {team}, and you are not. Ask an admin to add you to the team.").format(team=team)
        ]
    if not owner.nobody:
        return [_("{name} owns this already.").format(name=owner.name)]
    return []
