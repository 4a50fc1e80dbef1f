"""What somebody does next about an item that is not settled. Pure: one step, the one without which nothing moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .folding import ClauseFacts


class Act(StrEnum):
    """What is to be done, and by whom: a reviewer, or whoever owns the item."""

    ANSWER = "answer"
    FIX = "fix"
    ENABLE_OR_RETIRE = "enable-or-retire"
    CONFIGURE = "configure"
    LET_LOOK = "let-look"
    TICK = "tick"
    TICK_ANEW = "tick-anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a clause's probe could do here: whether it is installed, what keeps it from looking, and its remedy."""

    probe: str
    installed: bool = False
    disabled: bool = False
    missing: tuple[str, ...] = ()
    remedy: str = ""

    @property
    def looks(self) -> bool:
        """Whether it looks by itself."""
        return self.installed and not self.disabled and not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One clause as a step needs it: what it asks, whether a tick needs a link, and its probe, if it has one."""

    facts: ClauseFacts
    text: str
    needs_link: bool = False
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step about an item: ``sentence`` says it, ``clause`` is what it is about; empty for the whole item."""

    act: Act
    sentence: str
    clause: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def next_step(clauses: Sequence[Asked], *, waits_for_reviewer: bool, at: datetime) -> Step:
    """Return the next step about an item that is not settled at an instant.

    A fail comes first, since no tick settles an item while it counts; then what a reviewer was asked; then the first
    clause that nothing holds.
    """
    failing = [one for one in clauses if one.facts.fails_at(at)]
    if waits_for_reviewer:
        return Step(act=Act.ANSWER, sentence=_("A reviewer has to answer what was asked."))
    if failing:
        return _about_a_fail(failing[0])
    unmet = [one for one in clauses if not one.facts.met_at(at)]
    return _about_what_is_unmet(unmet[0], others=len(unmet) - 1) if unmet else _nothing_asked()


def _about_a_fail(clause: Asked) -> Step:
    watch = clause.watch
    if watch is None or not watch.installed or watch.disabled:
        name = watch.probe if watch else _("The probe")
        return _step(
            Act.ENABLE_OR_RETIRE,
            clause,
            _(
                "{probe} is switched off, so its fail stays. Have it enabled, or ask a reviewer to retire the fail."
            ).format(probe=name),
        )
    if watch.missing:
        return _step(
            Act.CONFIGURE,
            clause,
            _("{missing} Only then can {probe} look again.").format(missing=" ".join(watch.missing), probe=watch.probe),
        )
    return _step(
        Act.FIX,
        clause,
        _("{remedy} Then {probe} looks again, by itself or when asked.").format(remedy=watch.remedy, probe=watch.probe),
    )


def _about_what_is_unmet(clause: Asked, *, others: int) -> Step:
    watch, linked = clause.watch, clause.needs_link
    if watch is not None and watch.looks:
        act = Act.LET_LOOK
        said = (
            _("Have {probe} look, or tick it with a link: {clause}")
            if linked
            else _("Have {probe} look, or tick it: {clause}")
        )
    elif watch is not None and watch.installed and watch.missing and not watch.disabled:
        act = Act.CONFIGURE
        said = (
            _("{missing} Then {probe} looks; or tick it with a link.")
            if linked
            else _("{missing} Then {probe} looks; or tick it.")
        )
    elif clause.facts.met_until is not None:
        act = Act.TICK_ANEW
        said = (
            _("Look again and tick it anew with a link: {clause}")
            if linked
            else _("Look again and tick it anew: {clause}")
        )
    else:
        act = Act.TICK
        said = _("Tick it with a link: {clause}") if linked else _("Tick it: {clause}")
    sentence = said.format(
        probe=watch.probe if watch else "", missing=" ".join(watch.missing) if watch else "", clause=clause.text
    )
    if others:
        more = ngettext("{n} more after that.", "{n} more after that.", others).format(n=others)
        sentence = f"{sentence} {more}"
    return _step(act, clause, sentence)


def _nothing_asked() -> Step:
    return Step(act=Act.TICK, sentence=_("Its entry asks for nothing that could be ticked. Tell an admin."))


def _step(act: Act, clause: Asked, sentence: str) -> Step:
    return Step(act=act, sentence=sentence, clause=clause.facts.clause)
