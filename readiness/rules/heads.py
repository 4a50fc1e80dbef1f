"""Signed heads: where the ledger ended at an instant, to be kept where nobody who changes the rows can change them."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

from .chain import Head, canonical

SALT = "readiness.ledger.head"
_TYPES = {"id": int, "hash": str, "at": str, "count": int, "key": str, "signature": str}


class BadHead(Exception):
    """A head that proves nothing; the message says why, in words."""


def key_from(secret_key: str) -> str:
    """Return the key for heads that follows from the installation's secret key, and that gives nothing of it away."""
    return salted_hmac("readiness.ledger.key", "", secret=secret_key, algorithm="sha256").hexdigest()


def sign(head: Head, *, key: str) -> dict[str, Any]:
    """Return a head as JSON data: what it says, by which key it is signed (its fingerprint), and the signature."""
    said = {**asdict(head), "key": fingerprint(key)}
    return {**said, "signature": _signer(key).signature(canonical(said))}


def read(text: str, *, keys: Sequence[str]) -> Head:
    """Return what a signed head says. ``BadHead`` where it is none, was altered, or was signed with another key."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or {name: type(value) for name, value in given.items()} != _TYPES:
        raise BadHead("This is not a head of a ledger: it has to be what “ledger head” printed, whole.")
    signing = next((key for key in keys if fingerprint(key) == given["key"]), None)
    if signing is None:
        raise BadHead(
            "This head was signed with another key: it is of another installation, or the key was changed since."
        )
    signature = given.pop("signature")
    try:
        signer = _signer(signing)
        signer.unsign(f"{canonical(given)}{signer.sep}{signature}")
    except (BadSignature, ValueError):
        raise BadHead("This head was altered: its signature does not fit what it says.") from None
    del given["key"]
    return Head(**given)


def fingerprint(key: str) -> str:
    """Return a short name of a key, from which it cannot be found."""
    return salted_hmac("readiness.ledger.fingerprint", "", secret=key, algorithm="sha256").hexdigest()[:16]


def _signer(key: str) -> Signer:
    return Signer(key=key, salt=SALT, fallback_keys=[])
