"""Sentences that are kept as a code with parameters, and said from one template in the language that is active.

What looks (``checks``) and what people read are two programs: a sentence is stored in English, and its code and its
parameters beside it. A page says it anew from the template of that code; where that is gone, or does not fit any more,
the stored sentence stands. Pure.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from .marking import gettext_noop
from .spoken import ENGLISH, french, long_moment, money, number

Params = Mapping[str, Any]
"""Values of JSON. One that is a mapping holds another message (``code``, ``params``, ``sentence``), or an instant
(``at``), or money (``amount``, ``currency``); a list holds several."""

_TEMPLATES: dict[str, str] = {}
_TERMS: set[str] = set()
_SOURCES: list[Callable[[], object]] = []


class Said(str):
    """A sentence in the language that was active when it was made. It knows its code and its parameters."""

    __slots__ = ("code", "params")
    code: str
    params: Params


@dataclass(frozen=True, slots=True)
class Told:
    """A stored sentence as it is shown. ``stored`` says that it stands as it was stored, in English."""

    text: str
    stored: bool


def register(templates: Mapping[str, str], *, terms: Sequence[str] = ()) -> None:
    """Make templates known by their codes. ``terms`` are whole parameters that are words of ours, and translated."""
    _TEMPLATES.update(templates)
    _TERMS.update(terms)


def ask_later(source: Callable[[], object]) -> None:
    """Have more templates registered by ``source``, which is called once, when a code is asked for that is unknown."""
    _SOURCES.append(source)


def known(code: str) -> bool:
    """Return whether there is a template for a code."""
    while code not in _TEMPLATES and _SOURCES:
        _SOURCES.pop()()
    return code in _TEMPLATES


def codes() -> list[str]:
    """Return every code that has a template."""
    known("")
    return sorted(_TEMPLATES)


def say(code: str, /, **params: Any) -> Said:
    """Return a message in the language that is active. ``KeyError`` for an unknown code or a missing parameter."""
    if not known(code):
        raise KeyError(code)
    said = Said(_(_TEMPLATES[code]).format(**{name: spoken(value) for name, value in params.items()}))
    said.code, said.params = code, params
    return said


def kept(value: Any) -> Any:
    """Return a value as it is stored: a message with its code, its parameters and its English sentence."""
    if isinstance(value, Said):
        return {"code": value.code, "params": kept(value.params), "sentence": in_english(value)}
    if isinstance(value, Mapping):
        return {name: kept(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [kept(one) for one in value]
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def in_english(said: str) -> str:
    """Return a message as it is stored; any other text as it is."""
    if not isinstance(said, Said):
        return said
    with override(ENGLISH):
        return str.__str__(say(said.code, **said.params))


def spoken(value: Any) -> str:
    """Return a parameter as a sentence says it: measured numbers (floats) whole and at least 1."""
    if isinstance(value, float):
        return number(max(1, round(value)))
    if isinstance(value, Said):
        return say(value.code, **value.params)
    if isinstance(value, datetime):
        return long_moment(value)
    if isinstance(value, list | tuple):
        return " ".join(spoken(one) for one in value)
    if isinstance(value, Mapping):
        if "at" in value:
            return long_moment(datetime.fromisoformat(value["at"]))
        if "amount" in value:
            return money(value["amount"], value["currency"])
        return tell(str(value.get("code", "")), value.get("params", {}), str(value.get("sentence", ""))).text
    words = str(value)
    return _(words) if words in _TERMS else words


def tell(code: str, params: Params, sentence: str) -> Told:
    """Return a stored sentence as it is shown now. ``params`` may be of an older version of what wrote them."""
    if not french():
        return Told(sentence, stored=False)
    with suppress(KeyError, IndexError, ValueError, TypeError, AttributeError):
        return Told(say(code, **params), stored=_is_untranslated(code))
    return Told(sentence, stored=True)


def retell(text: str) -> str:
    """Return a text that is one of our sentences without parameters, as it is shown now; any other as it is."""
    return _(text) if text in _TEMPLATES.values() else text


def tell_finding(finding: Mapping[str, Any]) -> Told:
    """Return the sentence of a finding as it is kept with its run."""
    params = finding.get("params")
    sentence = str(finding.get("sentence", ""))
    return tell(str(finding.get("code", "")), params if isinstance(params, Mapping) else {}, sentence)


def _is_untranslated(code: str) -> bool:
    """Return whether a template has words of its own that nobody translated."""
    template = _TEMPLATES[code]
    words = any(letter.isalpha() for text, *_rest in Formatter().parse(template) for letter in text)
    return words and _(template) == template


# --- sentences of ours that were kept without a code ------------------------------------------------------------------
def read_back(sentence: str, templates: Sequence[str]) -> Told:
    """Return an English sentence that was made from one of these templates, said anew; any other as it is.

    A parameter that is itself made from one of them is said anew too, and so is an instant.
    """
    if not french():
        return Told(sentence, stored=False)
    for template in templates:
        found = _pattern(template).fullmatch(sentence)
        if found is not None:
            params = {name: _read(value, templates) for name, value in found.groupdict().items()}
            return Told(_(template).format(**params), stored=_(template) == template)
    return Told(sentence, stored=True)


def _read(value: str, templates: Sequence[str]) -> str:
    with suppress(ValueError):
        return long_moment(datetime.strptime(value, "%d %B %Y at %H:%M"))  # noqa: DTZ007 - it is shown as it was
    return read_back(value, templates).text


def _pattern(template: str) -> re.Pattern[str]:
    parts = [
        re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, *_rest in Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


NOTHING_FOLLOWS = gettext_noop("{why} Nothing follows from it.")
SWITCHED_OFF_HERE = gettext_noop("{person} disabled {probe} here on {moment}: {reason}")
SWITCHED_OFF = gettext_noop("{person} disabled {probe} everywhere on {moment}: {reason}")
register(
    {
        "engine.disabled-here": SWITCHED_OFF_HERE,
        "engine.disabled-everywhere": SWITCHED_OFF,
        "engine.disabled": "{why}",
        "engine.nothing-follows": NOTHING_FOLLOWS,
        "engine.archived": gettext_noop("The environment was archived while the probe looked."),
        "engine.settings-changed": gettext_noop(
            "The settings were changed while the probe looked, so it saw another target. It looks again."
        ),
    }
)

ERRORS = (
    gettext_noop("No probe of this name is installed."),
    gettext_noop("The probe itself broke ({kind}); nothing follows from it."),
    gettext_noop("The workers that tried this run died each time; nothing follows from it. Ask for it again."),
    gettext_noop("The environment was archived before the probe could look."),
    gettext_noop("The probe was disabled before it could look."),
    NOTHING_FOLLOWS,
    SWITCHED_OFF_HERE,
    SWITCHED_OFF,
)
"""Why a run could not look: what is kept as ``Run.error``, in English."""


def tell_error(error: str) -> Told:
    """Return why a run could not look, as it is shown."""
    return read_back(error, ERRORS)
