"""Handing a service to another team."""


def transfer_refusals(*, from_id: int, to_id: int, team: str) -> list[str]:
    """Return why a service may not be handed to a team: it is that team's already."""
    return [f"It belongs to {team} already. Choose another team."] if from_id == to_id else []
