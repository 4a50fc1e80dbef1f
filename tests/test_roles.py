"""The one table of who may do what: every question is answered by it, and the document for people is it."""

import re
from itertools import product
from pathlib import Path

import pytest

from readiness.rules import permissions
from readiness.rules.permissions import MAY, Act, Actor, Role

HERE, OTHER = 1, 2
QUESTIONS = {
    Act.EXPORT: permissions.export_refusals,
    Act.COMMENT: permissions.comment_refusals,
    Act.CHANGE: lambda actor: permissions.change_refusals(actor, team_id=HERE, team="Here"),
    Act.ADD_SERVICE: permissions.add_service_refusals,
    Act.END_GRANTS: lambda actor: permissions.end_waiver_refusals(actor, team_id=HERE, team="Here"),
    Act.ANSWER: permissions.review_refusals,
    Act.RETIRE: permissions.retire_refusals,
    Act.DECIDE: permissions.launch_refusals,
    Act.SWITCH_PROBES: permissions.switch_probe_refusals,
    Act.LAND_CHECKLISTS: permissions.change_checklist_refusals,
    Act.KEEP_TOKENS: permissions.keep_tokens_refusals,
    Act.KEEP_PEOPLE: permissions.keep_people_refusals,
    Act.SUBSCRIBE: lambda actor: permissions.make_feed_refusals(actor, team_id=None, team=""),
    Act.KEEP_TEAM_CALENDAR: lambda actor: permissions.make_feed_refusals(actor, team_id=HERE, team="Here"),
}
ACTORS = [
    Actor(id=1, is_admin=admin, is_reviewer=reviewer, is_auditor=auditor, teams=frozenset(teams))
    for admin, reviewer, auditor in product((False, True), repeat=3)
    for teams in ((), (HERE,), (OTHER,), (HERE, OTHER))
]


def test_every_act_is_in_the_table_and_has_its_question() -> None:
    assert set(MAY) == set(Act)
    assert set(QUESTIONS) == set(Act) - {Act.READ}, "Reading is asked of everybody at the door."


@pytest.mark.parametrize("act", QUESTIONS)
def test_each_question_is_answered_by_the_table_for_everybody(act: Act) -> None:
    answered = {True: 0, False: 0}
    for actor in ACTORS:
        roles = actor.roles(None if act is Act.ADD_SERVICE else HERE)
        reasons = QUESTIONS[act](actor)
        assert (not reasons) is bool(roles & MAY[act])
        assert all(reason.endswith(".") for reason in reasons)
        answered[not reasons] += 1
    assert answered[True]
    assert bool(answered[False]) is (Role.READER not in MAY[act]), "Some may not, but for what every reader may."


def test_nobody_answers_what_they_asked_for_themselves() -> None:
    reviewer = Actor(id=7, is_admin=True, is_reviewer=True, is_auditor=True, teams=frozenset({HERE}))

    assert permissions.decide_refusals(reviewer, asked_by_id=8) == []
    assert permissions.decide_refusals(reviewer, asked_by_id=7) != []


def test_a_stranger_may_nothing() -> None:
    assert not any(Role.STRANGER in roles for roles in MAY.values())


def test_the_document_for_people_is_the_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "roles.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    head, *body = [row for row in rows if not re.fullmatch("-*", row[0]) or row[0] == ""]

    assert head[1:] == [str(role) for role in Role]
    written = {row[0]: {role for role, cell in zip(Role, row[1:], strict=True) if cell == "yes"} for row in body}
    assert written == {str(act): set(roles) for act, roles in MAY.items()}
