"""The pages of checklists: read by everyone, written in two steps by admins, and nothing that was typed is lost."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from readiness.actions.checklists import land
from readiness.forms.checklists import MAX_BYTES, NOT_UTF8, TOO_LONG
from readiness.models import Checklist, ChecklistVersion, Team, User
from tests.checklist_deeds import landed, landing_form, next_checklist, rows
from tests.checklist_texts import checklist, clause, entry, written
from tests.factories import NOW, make_admin, make_environment, make_person, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]

IMPORT = "/checklists/import/"
EDIT = "/checklists/bastion/edit/"
KEY = "qbt_" + "live_0123456789abcdef"


@pytest.fixture
def admin() -> User:
    return make_admin("ada")


@pytest.fixture
def site(admin: User) -> Client:
    return signed_in(admin)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(response: Any) -> str:
    return " ".join(response.content.decode().split())


def kept(response: Any) -> str:
    """What stands in the field that the page shows again."""
    return str(response.context["form"]["text"].value())


def hidden(response: Any) -> dict[str, Any]:
    """What the page of a preview would send."""
    context = response.context
    team = context["team"].pk if context["team"] else ""
    return {"text": context["text"], "team": team, "seen": context["seen"], "digest": context["digest"]}


def test_everybody_reads_checklists_and_only_admins_are_offered_to_change_them(site: Client) -> None:
    reader = signed_in(make_person())
    for address in ("/checklists/", "/checklists/bastion/"):
        assert "Only an admin changes checklists" in shown(reader.get(address))
        assert "Only an admin changes checklists" not in shown(site.get(address))
        assert EDIT not in shown(reader.get(address))
        assert EDIT in shown(site.get(address))


def test_the_list_says_version_entries_and_who_landed_it(admin: User, site: Client) -> None:
    landed(admin, checklist(entry(), entry("licence")), team=make_team("Platform"))
    page = shown(site.get("/checklists/"))
    assert "Version 1 · 26 entries · every team's services" in page
    assert "as it ships with Readiness" in page
    assert "Version 1 · 2 entries · services of Platform" in page
    assert "by ada" in page


def test_a_checklist_shows_clauses_observers_freshness_and_what_is_announced(admin: User, site: Client) -> None:
    landed(admin, checklist(entry("readme", clause(probe="spend-cap", fresh_pass=NOW - NOW.replace(hour=8)))))
    text = written(checklist(entry("readme", clause()), version=2)).replace(
        'slug = "readme"', 'slug = "readme"\ncounts_from = 2999-01-15\nmeaning = 2', 1
    )
    text = text.replace("meaning = 1\n", "", 1)
    land(by=admin, text=text, now=NOW)
    page = shown(site.get("/checklists/release/"))
    assert "asks something else from" in page
    assert "15 January 2999" in page
    assert "What it changed" in page
    assert "90 days" in page


@pytest.mark.parametrize("entries", [1, 4])
def test_a_page_asks_as_many_queries_however_long_the_checklist(
    admin: User, site: Client, entries: int, django_assert_max_num_queries: Any
) -> None:
    landed(admin, checklist(*(entry(f"entry-{number}") for number in range(entries))))
    with django_assert_max_num_queries(10):
        site.get("/checklists/release/")


def test_the_file_of_a_version_is_served_word_for_word(site: Client) -> None:
    response = site.get(reverse("checklist-version", args=["bastion", "1"]))
    assert response.content.decode() == ChecklistVersion.objects.get(checklist__slug="bastion").text
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    for number in ("2", "0", "x", "9" * 40):
        assert site.get(f"/checklists/bastion/versions/{number}/").status_code == 404
    assert site.get("/checklists/none/").status_code == 404


def test_a_new_version_begins_with_the_text_that_is_held_and_its_number_counted_up(site: Client) -> None:
    text = kept(site.get(EDIT))
    assert "version = 2\n" in text
    assert 'changes = ""\n' in text


def test_a_version_is_previewed_and_then_landed(site: Client) -> None:
    make_environment(name="prod")
    text = next_checklist("bastion")
    before = rows()
    response = site.post(EDIT, {"text": text.replace("\n", "\r\n")})
    assert response.status_code == 200
    assert rows() == before
    assert "Nobody loses anything" in shown(response)

    answer = site.post(EDIT, {**hidden(response), "step": "land"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/checklists/bastion/")
    assert Checklist.objects.get(slug="bastion").version == 2
    assert ChecklistVersion.objects.get(version=2).text == text
    again = site.post(EDIT, {**hidden(response), "step": "land"})
    assert again.status_code == 302
    assert ChecklistVersion.objects.filter(checklist__slug="bastion").count() == 2


def test_a_bad_file_is_shown_again_with_every_fault(site: Client) -> None:
    text = (
        next_checklist("bastion").replace('scope = "service"', 'scope = "team"').replace("version = 2", "version = 0")
    )
    response = site.post(EDIT, {"text": text})
    assert response.status_code == 422
    assert kept(response) == text
    assert len(response.context["faults"]) > 2
    assert "is not between 1 and 9999" in shown(response)


def test_the_page_of_one_checklist_lands_no_other(site: Client) -> None:
    response = site.post(EDIT, landing_form(written(checklist()), seen=1))
    assert response.status_code == 422
    assert "this page is about" in response.context["faults"][0]
    assert not Checklist.objects.filter(slug="release").exists()


def test_a_preview_that_another_version_has_overtaken_does_not_land(site: Client) -> None:
    mine = next_checklist("bastion").replace("Nothing much.", "Mine.")
    preview = site.post(EDIT, {"text": mine})
    land(by=make_admin("ben"), text=next_checklist("bastion"), now=NOW)
    response = site.post(EDIT, {**hidden(preview), "step": "land"})
    assert response.status_code == 409
    assert kept(response) == mine
    assert "ben landed version 2 of this checklist first." in shown(response)
    assert "Nothing much. </blockquote>" in shown(response)
    assert f'{reverse("checklist-version", args=["bastion", 2])}">The file of version 2' in shown(response)
    assert Checklist.objects.get(slug="bastion").changes == "Nothing much."


@pytest.mark.parametrize("change", [{"digest": ""}, {"seen": "2"}, {"seen": "x"}, {"text": "other"}])
def test_nothing_lands_that_was_not_previewed(site: Client, change: dict[str, str]) -> None:
    text = next_checklist("bastion")
    if "text" in change:
        change = {"text": text.replace("Nothing much.", "Something else.")}
    response = site.post(EDIT, {**landing_form(text, seen=1), **change})
    assert response.status_code == 409
    assert "This is not the text that was previewed" in shown(response)
    assert Checklist.objects.get(slug="bastion").version == 1


def test_back_to_the_text_keeps_it(site: Client) -> None:
    text = next_checklist("bastion")
    response = site.post(EDIT, {**landing_form(text, seen=1), "step": "edit"})
    assert (response.status_code, kept(response)) == (200, text)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_a_file_that_is_uploaded_takes_the_place_of_the_text(site: Client, mark: bytes) -> None:
    team = make_team("Platform")
    file = SimpleUploadedFile("release.toml", mark + written(checklist()).encode())
    preview = site.post(IMPORT, {"text": "", "upload": file, "team": team.pk})
    assert preview.status_code == 200
    answer = site.post(IMPORT, {**hidden(preview), "step": "land"})
    assert answer.status_code == 302
    assert Checklist.objects.get(slug="release").team == team
    assert Team.objects.get(pk=team.pk).checklists.count() == 1


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe\x00", NOT_UTF8), (b"#" * (MAX_BYTES + 1), TOO_LONG)], ids=["UTF-16", "too long"]
)
def test_a_file_that_cannot_be_read_loses_nothing_that_was_typed(site: Client, content: bytes, said: str) -> None:
    response = site.post(IMPORT, {"text": "what I typed", "upload": SimpleUploadedFile("a.toml", content), "team": ""})
    assert response.status_code == 422
    assert kept(response) == "what I typed"
    assert said in response.context["form"].errors["upload"]


def test_a_bad_file_that_was_uploaded_is_shown_to_be_mended(site: Client) -> None:
    response = site.post(IMPORT, {"text": "", "upload": SimpleUploadedFile("a.toml", b"[checklist]\n"), "team": ""})
    assert response.status_code == 422
    assert kept(response) == "[checklist]\n"


def test_nothing_typed_and_nothing_chosen_is_said(site: Client) -> None:
    assert site.post(IMPORT, {"text": "", "team": ""}).status_code == 422
    assert site.post(IMPORT, {"text": "x" * (MAX_BYTES + 1), "team": ""}).status_code == 422


def test_a_key_in_a_checklist_is_neither_kept_nor_shown(site: Client) -> None:
    text = next_checklist("bastion").replace("Nothing much.", f"Use {KEY}.")
    response = site.post(EDIT, {"text": text})
    assert response.status_code == 422
    assert KEY not in response.content.decode()
    assert "version = 2" in kept(response)


def test_what_a_file_says_is_shown_as_text(admin: User, site: Client) -> None:
    nasty = "<script>alert(1)</script>"
    text = written(checklist(entry("readme", clause(text=nasty), title="<b>x</b>", text=nasty)))
    preview = site.post(IMPORT, {"text": text, "team": ""})
    land(by=admin, text=text, now=NOW)
    for response in (preview, site.get("/checklists/release/")):
        assert nasty not in response.content.decode()
        assert "<b>x</b>" not in response.content.decode()
