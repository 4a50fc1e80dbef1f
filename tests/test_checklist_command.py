"""The command that checks, previews and lands a checklist from a file."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from readiness.actions.checklists import land
from readiness.models import (
    Checklist,
    Environment,
    Team,
    User,
)
from readiness.rules.permissions import Refused
from tests.checklist_texts import checklist, written
from tests.deeds import everything
from tests.factories import (
    NOW,
    make_admin,
    make_environment,
    make_member,
    make_service,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make_admin("ada")


@pytest.fixture
def team() -> Team:
    return make_team("Conversational")


@pytest.fixture
def prod(team: Team) -> Environment:
    return make_environment(make_service(team), "prod")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


def test_the_command_checks_previews_and_lands(
    admin: User, team: Team, prod: Environment, tmp_path: Any, capsys: Any
) -> None:
    path = tmp_path / "release.toml"
    path.write_text(written(checklist()), encoding="utf-8")
    before = everything()
    call_command("checklist", "check", str(path))
    call_command("checklist", "preview", str(path), "--team", team.slug)
    assert everything() == before
    said = capsys.readouterr().out
    assert "Release, version 1: 1 entries, no fault." in said
    assert "Readme: not asked -> open" in said
    call_command("checklist", "land", str(path), "--team", team.slug, "--by", "ada")
    assert "Release, version 1: landed." in capsys.readouterr().out
    assert Checklist.objects.get(slug="release").team == team


def test_the_command_names_what_is_wrong(admin: User, mia: User, tmp_path: Any) -> None:
    path = tmp_path / "release.toml"
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("checklist", "check", str(path))
    path.write_text("[checklist]\n", encoding="utf-8")
    with pytest.raises(CommandError, match="missing key 'slug'"):
        call_command("checklist", "check", str(path))
    path.write_text(written(checklist()), encoding="utf-8")
    with pytest.raises(CommandError, match="There is no team 'none'"):
        call_command("checklist", "preview", str(path), "--team", "none")
    with pytest.raises(CommandError, match="Only an admin changes checklists"):
        call_command("checklist", "land", str(path), "--by", "mia")
    with pytest.raises(CommandError, match="Nobody signs in as 'nobody'"):
        call_command("checklist", "land", str(path), "--by", "nobody")


def test_landing_is_refused_to_whoever_is_no_admin_also_below_the_page(mia: User) -> None:
    with pytest.raises(Refused):
        land(by=mia, text=written(checklist()), now=NOW)
