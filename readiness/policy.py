"""What the operator allows, as the rules take it."""

from functools import cache

from django.conf import settings

from readiness.rules.networks import AllowedNetwork, parse_allowed
from readiness.rules.references import ReferencePolicy


def references() -> ReferencePolicy:
    """Return what each team may refer to."""
    policy: ReferencePolicy = settings.KEY_REFERENCES
    return policy


def networks() -> tuple[AllowedNetwork, ...]:
    """Return the private networks that probes may reach."""
    return _parsed(tuple(settings.ALLOWED_NETWORKS))


@cache
def _parsed(texts: tuple[str, ...]) -> tuple[AllowedNetwork, ...]:
    return tuple(parse_allowed(text) for text in texts)
