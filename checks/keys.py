"""Secrets: resolved from references inside a worker, at the moment of use, and kept nowhere."""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from checks.failures import say
from readiness.rules.references import ReferencePolicy, reference_refusals, split_reference

MAX_SECRET_BYTES = 4096


class Secret:
    """A secret value that shows itself only when asked by name; ``repr``, ``str`` and pickling do not."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value. Call it where the value is used, and keep no other name for it."""
        return self._value

    def with_prefix(self, prefix: str) -> "Secret":
        """Return a secret with words before it, such as ``Bearer ``."""
        return Secret(prefix + self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("A secret is never serialised.")


class SecretError(Exception):
    """A reference that gave no secret: ``refused``, ``missing``, ``unreadable`` or ``malformed``, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Resolver:
    """Turns references into secrets for one team, within the operator's policy."""

    team: str
    policy: ReferencePolicy
    environ: Mapping[str, str]

    def __call__(self, reference: str) -> Secret:
        """Return the secret that a reference names; ``SecretError`` in words where it does not give one."""
        refusals = reference_refusals(reference, team=self.team, policy=self.policy)
        if refusals:
            raise SecretError("refused", refusals[0])
        scheme, name = split_reference(reference)
        value = self._from_variable(name) if scheme == "env" else self._from_file(name)
        return Secret(_checked(value.strip(), reference))

    def _from_variable(self, name: str) -> str:
        value = self.environ.get(name)
        if value is None:
            raise SecretError("missing", say("secret.no-variable", name=name))
        return value

    def _from_file(self, name: str) -> str:
        grant = self.policy.teams[self.team]
        try:
            real = Path(name).resolve(strict=True)
            folders = [Path(folder).resolve() for folder in grant.folders]
            if not any(folder in real.parents for folder in folders):
                raise SecretError("refused", say("secret.link-out", name=name))
            return _read(real)
        except FileNotFoundError:
            failure = SecretError("missing", say("secret.no-file", name=name))
        except (OSError, UnicodeDecodeError):
            failure = SecretError("unreadable", say("secret.unreadable", name=name))
        raise failure


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(MAX_SECRET_BYTES + 1)
    return content.decode("utf-8")


def _checked(value: str, reference: str) -> str:
    if not value:
        raise SecretError("malformed", say("secret.empty", reference=reference))
    if len(value.encode()) > MAX_SECRET_BYTES or any(ord(letter) < 33 or ord(letter) > 126 for letter in value):
        raise SecretError("malformed", say("secret.not-one-line", reference=reference))
    return value


def fingerprint(secret: Secret, *, pepper: str) -> str:
    """Return 12 hexadecimal digits of HMAC-SHA256(pepper, secret): equal for equal secrets, opaque without it."""
    digest = hmac.new(b"readiness.key-fingerprint:" + pepper.encode(), secret.reveal().encode(), sha256)
    return digest.hexdigest()[:12]
