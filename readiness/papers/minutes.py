"""The minutes of a review, as a paper and as JSON."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from readiness.models import Environment
from readiness.rules.chain import instant_text
from readiness.rules.minutes import MinuteKind
from readiness.rules.spoken import clock
from readiness.selectors.minutes import MinuteLine
from readiness.selectors.proceedings import Attended, Line, Made, Proceedings
from readiness.templatetags.readiness_words import verdict_word

from .paper import (
    Agenda,
    AgendaRow,
    Fact,
    Facts,
    Log,
    LogGroup,
    LogRow,
    Paper,
    Part,
    Prose,
    Section,
    Signature,
    SignatureCell,
    Statement,
    Statements,
    Word,
)
from .words import kind_tone, kind_words, last_day_words, moment_words

JSON_FORMAT = 1
_ANSWERED = (MinuteKind.GRANTED, MinuteKind.REFUSED)


def minutes_paper(held: Proceedings, *, base: str) -> Paper:
    """Return the minutes of a review as a paper, in the language that is active. ``base`` is as that of a pack."""
    review = held.review
    closed = review.closed_at is not None
    return Paper(
        name=f"review-{review.pk}-minutes",
        title=review.title,
        eyebrow=_("Minutes of review {number}").format(number=review.pk),
        lead=_lead(held),
        author=held.chairs[-1][0],
        footer=_("Minutes of review {number}").format(number=review.pk),
        dated=review.closed_at or review.opened_at or review.starts_at,
        word=Word(
            text=pgettext("review", "Closed") if closed else pgettext("review", "Open"),
            tone="verified" if closed else "waived",
        ),
        beside=_("{decided} of {all} decided").format(decided=held.decided, all=len(held.agenda)),
        sections=list(_sections(held, base)),
    )


def minutes_json(held: Proceedings) -> dict[str, Any]:
    """Return the minutes of a review as JSON. Its words are codes and what people wrote; instants are UTC.

    ``lines`` have the numbers of the ledger's events that they follow from.
    """
    review = held.review
    return {
        "format": JSON_FORMAT,
        "review": review.pk,
        "title": review.title,
        "starts_at": instant_text(review.starts_at),
        "opened_at": instant_text(review.opened_at) if review.opened_at else None,
        "closed_at": instant_text(review.closed_at) if review.closed_at else None,
        "closed_by": held.closed_by or None,
        "quorum": review.quorum,
        "chairs": [{"name": name, "since": instant_text(at) if at else None} for name, at in held.chairs],
        "attendance": [
            {
                "name": one.name,
                "came_at": instant_text(one.came) if one.came else None,
                "left_at": instant_text(one.left) if one.left else None,
            }
            for one in held.attendance
        ],
        "agenda": [
            {
                "service": line.environment.service.slug,
                "environment": line.environment.name,
                "decisions": [_made_json(one) for one in line.made],
            }
            for line in held.agenda
        ],
        "lines": [
            {
                "event": line.number,
                "at": instant_text(line.at),
                "kind": str(line.kind),
                "who": line.who,
                "service": line.environment.service.slug if line.environment else None,
                "environment": line.environment.name if line.environment else None,
                "title": line.title,
                "params": dict(line.params),
            }
            for line in held.lines
        ],
        "written": review.minutes,
    }


def _made_json(one: Made) -> dict[str, Any]:
    return {
        "decision": one.decision,
        "kind": one.kind,
        "verdict": one.verdict,
        "by": one.by,
        "at": instant_text(one.at),
        "note": one.note,
        "hash": one.hash,
        "conditions": [
            {"title": each.title, "reason": each.reason, "owner": each.owner, "until": instant_text(each.until)}
            for each in one.conditions
        ],
        "dissents": [{"by": by, "reason": reason} for by, reason in one.dissents],
    }


def _lead(held: Proceedings) -> str:
    review = held.review
    if review.closed_at is not None and review.opened_at is not None:
        return _("Held from {start} until {end}.").format(
            start=moment_words(review.opened_at), end=moment_words(review.closed_at)
        )
    if review.closed_at is not None:
        return _("Closed on {moment}.").format(moment=moment_words(review.closed_at))
    if review.opened_at is not None:
        return _("Open since {moment}. What follows is not all yet.").format(moment=moment_words(review.opened_at))
    return _("Planned for {moment}. What follows is not all yet.").format(moment=moment_words(review.starts_at))


def _sections(held: Proceedings, base: str) -> Iterable[Section]:
    yield Section(slug="about", heading="", blocks=[_about(held, base)])
    if held.attendance:
        rows = [Fact(label=one.name, parts=[Part(_stay(one))]) for one in held.attendance]
        yield Section(slug="attendance", heading=_("Attendance"), blocks=[Facts(rows=rows)])
    yield Section(slug="agenda", heading=_("Agenda"), blocks=[_agenda(held, base)])
    conditions = [row for line in held.agenda for row in _conditions(line)]
    if conditions:
        yield Section(slug="conditions", heading=_("Conditions"), blocks=[Statements(rows=conditions)])
    answered = [_answer(line) for line in held.lines if line.kind in _ANSWERED]
    if answered:
        yield Section(slug="answers", heading=_("Answered on the spot"), blocks=[Statements(rows=answered)])
    dissents = [row for line in held.agenda for row in _dissents(line)]
    if dissents:
        yield Section(slug="dissent", heading=_("Dissent"), blocks=[Statements(rows=dissents)])
    if held.lines:
        yield Section(slug="log", heading=_("What happened"), blocks=[_log(held)])
    if held.review.minutes:
        yield Section(slug="written", heading=_("Written beside it"), blocks=[Prose(text=held.review.minutes)])
    if held.review.closed_at is not None:
        yield Section(slug="signed", heading="", blocks=[_signature(held)])


def _about(held: Proceedings, base: str) -> Facts:
    review = held.review
    people = len(held.attendance)
    rows = [
        (_("Planned for"), [Part(moment_words(review.starts_at))]),
        (_("Chair"), [Part(_chairs(held))]),
        (_("People"), [Part(ngettext("{n} person", "{n} people", people).format(n=people))]),
        (_("Quorum"), [Part(str(review.quorum) if review.quorum else _("none is set"))]),
        (_("Review"), [Part(str(review.pk), base + review.get_absolute_url())]),
        (_("Time zone"), [Part(timezone.get_current_timezone_name())]),
    ]
    return Facts(rows=[Fact(label=label, parts=parts) for label, parts in rows])


def _chairs(held: Proceedings) -> str:
    (first, _since), *others = held.chairs
    later = [
        _("{person} from {time}").format(person=name, time=clock(timezone.localtime(at))) for name, at in others if at
    ]
    return ", ".join([first, *later])


def _stay(one: Attended) -> str:
    if one.came is None:
        return _("was named")
    came = clock(timezone.localtime(one.came))
    if one.left is None:
        return _("from {time}").format(time=came)
    return _("from {start} to {end}").format(start=came, end=clock(timezone.localtime(one.left)))


def _name(environment: Environment) -> str:
    return _("{service} in {environment}").format(service=environment.service.slug, environment=environment.name)


def _agenda(held: Proceedings, base: str) -> Agenda:
    rows = []
    for number, line in enumerate(held.agenda, start=1):
        last = line.made[-1] if line.made else None
        rows.append(
            AgendaRow(
                number=str(number),
                title=_name(line.environment),
                sub=_decided_words(last) if last else "",
                word=kind_words(last.kind) if last else "",
                tone=kind_tone(last.kind) if last else "open",
                nothing=_("not decided"),
                hash=last.hash if last else "",
                url=base + reverse("decision", args=[last.decision]) if last else "",
            )
        )
    return Agenda(heads=[_("No."), _("Environment"), _("Decision"), "SHA-256"], rows=rows)


def _decided_words(made: Made) -> str:
    said = _("Decision {number} by {person}, {moment}. It was: {verdict}.").format(
        number=made.decision, person=made.by, moment=moment_words(made.at), verdict=verdict_word(made.verdict)
    )
    return f"{said} {made.note}" if made.note else said


def _conditions(line: Line) -> Iterable[Statement]:
    for made in line.made:
        for one in made.conditions:
            until = _("{owner} owns it, until the end of {day}").format(owner=one.owner, day=last_day_words(one.until))
            yield Statement(
                head=_("{environment}: {item}").format(environment=_name(line.environment), item=one.title),
                sub=until,
                quote=one.reason,
            )


def _dissents(line: Line) -> Iterable[Statement]:
    for made in line.made:
        for by, reason in made.dissents:
            who = _("{person} did not agree").format(person=by)
            yield Statement(
                head=_("{environment}: {words}").format(environment=_name(line.environment), words=who), quote=reason
            )


def _answer(line: MinuteLine) -> Statement:
    granted = line.kind is MinuteKind.GRANTED
    place = _name(line.environment) if line.environment else ""
    return Statement(
        word=pgettext("request", "granted") if granted else pgettext("request", "refused"),
        tone="verified" if granted else "failing",
        head=_("{environment}: {item}").format(environment=place, item=line.title) if place else line.title,
        sub=_("{person}, {moment}").format(person=line.who, moment=moment_words(line.at)),
        quote=str(line.params.get("reason", "")),
    )


def _log(held: Proceedings) -> Log:
    groups = []
    for place, group in groupby(held.lines, key=lambda line: line.environment):
        rows = [LogRow(time=clock(timezone.localtime(line.at)), text=_words(line)) for line in group]
        groups.append(LogGroup(name=_name(place) if place else _("The meeting"), rows=rows))
    return Log(groups=groups)


def _words(line: MinuteLine) -> str:
    if line.kind is MinuteKind.NOTED:
        return _("{person}: {words}").format(person=line.who, words=line.words)
    return line.words


def _signature(held: Proceedings) -> Signature:
    closed_at = held.review.closed_at
    cells = [SignatureCell(value=held.chairs[-1][0], label=_("Chair"))]
    if closed_at is not None:
        cells += [
            SignatureCell(value=held.closed_by, label=_("Closed by")),
            SignatureCell(value=moment_words(closed_at), label=_("When")),
        ]
    return Signature(cells=cells)
