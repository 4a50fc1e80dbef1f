"""Handing a service to another team."""

from django.utils.translation import gettext as _


def transfer_refusals(*, from_id: int, to_id: int, team: str) -> list[str]:
    """Return why a service may not be handed to a team: it is that team's already."""
    return [_("It belongs to {team} already. Choose another team.").format(team=team)] if from_id == to_id else []
