"""What a program's token may speak of."""


def token_refusals(token_team_id: int | None, *, team_id: int, team: str) -> list[str]:
    """Return why a token may not speak of that team's services; without a team of its own it may of all."""
    if token_team_id in (None, team_id):
        return []
    return [f"This token speaks of another team's services, not of {team}'s. Ask an admin for one that does."]
