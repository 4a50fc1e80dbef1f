"""Hand a probe its tools for one run: the door out, the way to secrets, and the limits that hold for both."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from checks.contract import OPERATOR, Target, Tools
from checks.http import ClientPolicy, ProbeClient
from checks.keys import Resolver, Secret, fingerprint
from checks.models import KeyUse
from readiness import policy


@dataclass(slots=True)
class Secrets:
    """The secrets that a run resolved, so that whatever it gives back can be searched for them."""

    found: list[Secret] = field(default_factory=list)

    def watching(self, resolve: Callable[[str], Secret]) -> Callable[[str], Secret]:
        """Return a resolver that remembers what it gave out."""

        def remembering(reference: str) -> Secret:
            secret = resolve(reference)
            self.found.append(secret)
            return secret

        return remembering

    def scrub(self, value: Any) -> Any:
        """Return the value with every resolved secret in it replaced: a target may echo what it was sent."""
        if isinstance(value, str):
            for secret in self.found:
                value = value.replace(secret.reveal(), "***")
            return value
        if isinstance(value, Mapping):
            return {self.scrub(name): self.scrub(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(inner) for inner in value]
        return value


def client_policy() -> ClientPolicy:
    """Return what the operator lets the outgoing client do."""
    return ClientPolicy(
        allowed_networks=policy.networks(), key_hosts=tuple(settings.KEY_HOSTS), ca_file=settings.CA_FILE
    )


def tools_for(target: Target, client: ProbeClient, secrets: Secrets, *, now: datetime, unlimited: bool) -> Tools:
    """Return the tools for one look at a target. ``unlimited``: a person asked, or a fail is being confirmed."""
    references = policy.references()

    def resolve(reference: str, *, by_operator: bool = False) -> Secret:
        team = OPERATOR if by_operator else target.team
        return Resolver(team=team, policy=references, environ=os.environ)(reference)

    return Tools(
        client=client,
        resolve=secrets.watching(resolve),
        resolve_for_operator=secrets.watching(lambda reference: resolve(reference, by_operator=True)),
        fingerprint=lambda secret: fingerprint(secret, pepper=settings.SECRET_KEY),
        counts_as_manager=references.counts_as_manager,
        may_ask_with=lambda mark: may_ask_with(mark, now=now, unlimited=unlimited),
    )


def may_ask_with(mark: str, *, now: datetime, unlimited: bool) -> bool:
    """Claim the right to ask Bastion with the key of this fingerprint: at most once in the operator's interval.

    One conditional update, so that of two workers one gets it. What a person asks for is always allowed, and counted.
    """
    free_before = now - timedelta(seconds=settings.KEY_ASKED_AT_MOST_EVERY_SECONDS)
    known = KeyUse.objects.filter(fingerprint=mark)
    if unlimited:
        KeyUse.objects.update_or_create(fingerprint=mark, defaults={"asked_at": now})
        return True
    if known.filter(asked_at__lte=free_before).update(asked_at=now):
        return True
    try:
        with transaction.atomic():
            _, made = KeyUse.objects.get_or_create(fingerprint=mark, defaults={"asked_at": now})
    except IntegrityError:
        return False
    return made
