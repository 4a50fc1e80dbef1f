"""What the operator allows, as the rules take it."""

from functools import cache

from django.conf import settings

from readiness.rules import heads
from readiness.rules.networks import AllowedNetwork, parse_allowed
from readiness.rules.references import ReferencePolicy


def references() -> ReferencePolicy:
    """Return what each team may refer to."""
    policy: ReferencePolicy = settings.KEY_REFERENCES
    return policy


def networks() -> tuple[AllowedNetwork, ...]:
    """Return the private networks that probes may reach."""
    return _parsed(tuple(settings.ALLOWED_NETWORKS))


def ledger_keys() -> tuple[str, ...]:
    """Return the keys of the ledger's heads: the first signs, each may have signed one that is shown now.

    A key of its own stands alone. Without one they follow from the secret key and those that it replaced.
    """
    if settings.LEDGER_KEY:
        return (settings.LEDGER_KEY,)
    return tuple(heads.key_from(str(key)) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@cache
def _parsed(texts: tuple[str, ...]) -> tuple[AllowedNetwork, ...]:
    return tuple(parse_allowed(text) for text in texts)
