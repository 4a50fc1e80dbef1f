"""What a probe concludes, in a form that can be stored without knowing the probe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from readiness.enums.words import Judgement

Param = Any
"""A value of JSON: text, a number, or another message as ``messages.kept`` gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A probe's judgement on one clause.

    ``clause`` is the clause's slug. ``code`` is ``<probe slug>.<message>`` and, with ``params``, says the same as
    ``sentence`` in a form that can be put into another language. ``sentence`` stands by itself and is kept with the
    evidence, so that it outlives the code that wrote it. ``true_until`` is for a pass of which it is known when it ends
    however often it is looked at: a key gets a year old.
    """

    clause: str
    judgement: Judgement
    code: str
    sentence: str
    params: Mapping[str, Param] = field(default_factory=dict)
    true_until: datetime | None = None
