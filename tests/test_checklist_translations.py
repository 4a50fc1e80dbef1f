"""A checklist's words in other languages: read in the reader's, stored as written, and no matter of meaning."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from readiness.actions.checklists import land_shipped
from readiness.models import Checklist, ChecklistVersion, Entry, Event, Item, Section
from readiness.rules.checklist_changes import ChangeKind, changes
from readiness.rules.checklist_file import ChecklistFileError, as_written, next_version, parse
from readiness.selectors.snapshots import snapshot_of
from readiness.selectors.standing import verdict
from tests.checklist_deeds import landed
from tests.checklist_texts import checklist, clause, entry, written
from tests.deeds import ask
from tests.factories import NOW, item_of, make_admin, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.only_on("sqlite")
BASTION = Path(__file__).resolve().parent.parent / "readiness" / "checklists" / "bastion.toml"
FRENCH = {"title": "Lisez-moi", "text": "Le fichier est juste.", "why": "Parce que.\n\nOui."}
ASKED = entry("readme", clause(translations={"fr": {"text": "Il s’ouvre."}}), translations={"fr": FRENCH})


def test_a_file_keeps_its_translations_and_leaves_out_what_is_empty() -> None:
    file = checklist(ASKED)
    text = written(file)

    assert parse(text) == file
    assert parse(text.replace('"Lisez-moi"', '""')).entries[0].translations == {
        "fr": {name: words for name, words in FRENCH.items() if name != "title"}
    }
    assert as_written(file) == checklist(entry("readme", clause()))


def test_what_is_wrong_in_a_translation_is_said_with_its_place() -> None:
    text = written(checklist(ASKED)).replace('"Lisez-moi"', f'"{"x" * 41}"').replace('why = "Parce', 'whi = "Parce')

    with pytest.raises(ChecklistFileError) as wrong:
        parse(text)
    assert wrong.value.problems == (
        "section 'docs', entry 1, fr: 'title' has 41 characters, at most 40 fit",
        "section 'docs', entry 1, fr: unknown key 'whi'",
    )


def test_the_next_version_begins_with_no_changes_in_any_language() -> None:
    file = replace(checklist(), translations={"fr": {"name": "Parution", "changes": "Nouveau."}})

    assert parse(next_version(written(file), 1).replace('changes = ""', 'changes = "x"', 1)).translations == {
        "fr": {"name": "Parution"}
    }


@pytest.mark.django_db
def test_words_are_read_in_the_language_of_the_page_and_stored_as_they_were_written() -> None:
    landed(make_admin(), checklist(ASKED))
    asked = Entry.objects.get(slug="readme")

    with translation.override("fr-ca"):
        assert (asked.title, asked.text, asked.how, str(asked)) == (
            "Lisez-moi", "Le fichier est juste.", "Look.", "Lisez-moi",
        )  # fmt: skip
        assert asked.clauses.get().text == "Il s’ouvre."
        assert Entry.objects.only("slug").get(pk=asked.pk).title == "Lisez-moi"
        asked.save()
        asked.refresh_from_db()
        Section.objects.get(slug="docs").save()
    assert Entry.objects.filter(pk=asked.pk).values_list("title", "text", "why").get() == (
        "Readme", "The readme is right.", "Because.",
    )  # fmt: skip
    assert asked.title == "Readme"
    with translation.override(None):
        assert asked.title == "Readme"


@pytest.mark.django_db
def test_other_words_of_a_translation_mean_nothing_else() -> None:
    prod = make_environment(make_service(make_team()), "prod")
    before = checklist(ASKED)
    landed(make_admin(), before)
    versions = dict(Item.objects.values_list("pk", "version"))
    after = replace(checklist(replace(ASKED, translations={"fr": {"title": "À lire"}})), version=2)

    groups = changes(before, after)
    with translation.override("fr-ca"):
        landed(make_admin(), after)

    assert [group.kind for group in groups] == [ChangeKind.REWORDED]
    assert [(one.what, one.before, one.after) for one in groups[0].changes] == [
        ("title (fr)", "Lisez-moi", "À lire"),
        ("text (fr)", "Le fichier est juste.", ""),
        ("why (fr)", "Parce que.\n\nOui.", ""),
    ]
    assert dict(Item.objects.values_list("pk", "version")) == versions
    assert Entry.objects.get(slug="readme").meanings == {}
    with translation.override("fr-ca"):
        frozen = snapshot_of(verdict(prod, at=NOW, now=NOW))
        shown = Entry.objects.get(slug="readme").title
    [item] = [one for one in frozen.items if one.entry == "readme"]
    assert (shown, item.title, item.translations) == ("À lire", "Readme", {"fr": {"title": "À lire"}})


@pytest.mark.django_db
def test_the_shipped_checklist_takes_other_translations_of_the_same_version_without_an_event() -> None:
    text = BASTION.read_text(encoding="utf-8")
    other = text.replace("Clés séparées", "Clés distinctes")
    events, landings = Event.objects.count(), ChecklistVersion.objects.count()
    assert other != text

    assert land_shipped(text=other, now=NOW) is None

    with translation.override("fr-ca"):
        assert Entry.objects.get(slug="separate-keys").title == "Clés distinctes"
    assert Checklist.objects.get(slug="bastion").versions.get().text == other
    assert (Event.objects.count(), ChecklistVersion.objects.count()) == (events, landings)
    assert land_shipped(text=other.replace("Separate keys", "Other keys"), now=NOW) is None
    assert Entry.objects.get(slug="separate-keys").title == "Separate keys", "That is another version's to say."


def test_every_word_of_the_shipped_checklist_is_french_too() -> None:
    file = parse(BASTION.read_text(encoding="utf-8"))
    parts = [file, *file.sections, *file.entries, *(part for one in file.entries for part in one.clauses)]
    wanted = ("name", "short", "changes", "title", "text", "why", "how", "evidence", "not_covered")
    left = [
        (getattr(part, "slug", ""), name)
        for part in parts
        for name in wanted
        if getattr(part, name, "") and not part.translations.get("fr", {}).get(name)
    ]

    assert left == []


@pytest.mark.django_db
def test_the_page_of_a_checklist_says_that_the_french_is_ours_and_shows_the_original(
    settings: pytest.FixtureRequest,
) -> None:
    settings.LANGUAGES = [("en-ca", "English"), ("fr-ca", "Français")]
    client = Client()
    client.force_login(make_admin(), backend="django.contrib.auth.backends.ModelBackend")
    said = "Traduction de l’équipe; le texte anglais fait foi"
    original = '<q lang="en">Separate keys per environment (dev, staging, prod) and per service.</q>'

    french = client.get("/checklists/bastion/", headers={"Accept-Language": "fr"}).content.decode()
    english = client.get("/checklists/bastion/").content.decode()

    assert "Clés séparées" in french
    assert french.count(said) == 26
    assert original in french
    assert "Separate keys" in english
    assert original not in english
    assert said not in english


@pytest.mark.django_db
@pytest.mark.parametrize(("word", "found"), [("Résidence", True), ("residency", True), ("Clés séparées", False)])
def test_a_waiver_is_found_by_its_items_name_in_either_language(word: str, found: bool) -> None:
    mia = make_member(make_team())
    prod = make_environment(make_service(mia.teams.get(), by=mia), "prod", by=mia)
    ask(mia, item_of(prod, "data-residency"))
    client = Client()
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/waivers/", {"q": word, "state": "waiting"}).content.decode()
    assert ("?tab=waiver" in page) is found
