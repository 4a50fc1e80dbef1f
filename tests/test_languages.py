"""In which language a page is: the person's choice, else the browser's; and catalogues that compile by themselves."""

import os
from pathlib import Path

import pytest
from django.test import Client

from config import catalogues
from readiness.models import User
from tests.factories import PASSWORD, make_person

pytestmark = pytest.mark.only_on("sqlite")
FRENCH = {"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"}
BOTH = [("en-ca", "English"), ("fr-ca", "Français")]
CATALOGUE = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Overview"\nmsgstr "Aperçu"\n'


@pytest.fixture
def _french(settings: pytest.FixtureRequest) -> None:
    settings.LANGUAGES = BOTH


def language_of(client: Client, path: str = "/sign-in/", **headers: str) -> str:
    """The language that a page says it is in, which is also that of its text."""
    page = client.get(path, headers=headers)
    said = page.headers["Content-Language"]
    assert f'<html lang="{said}">' in page.content.decode()
    assert {"Accept-Language", "Cookie"} <= {one.strip() for one in page.headers["Vary"].split(",")}
    return str(said)


@pytest.mark.django_db
@pytest.mark.usefixtures("_french")
def test_a_page_speaks_as_the_browser_asks_until_somebody_chooses() -> None:
    client = Client()

    assert language_of(client) == "en-ca"
    assert [language_of(client, **{"Accept-Language": asks}) for asks in ("fr", "fr-FR", "de", "en-GB, fr;q=0.5")] == [
        "fr-ca",
        "fr-ca",
        "en-ca",
        "en-ca",
    ]
    answer = client.post("/language/", {"language": "en-ca", "next": "/sign-in/?next=/ledger/"}, headers=FRENCH)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in/?next=/ledger/")
    assert language_of(client, **FRENCH) == "en-ca"


@pytest.mark.django_db
@pytest.mark.usefixtures("_french")
def test_what_a_person_chose_goes_with_them_to_another_browser() -> None:
    mia = make_person("mia")
    first, second = Client(), Client()
    for client in (first, second):
        client.post("/sign-in/", {"username": "mia", "password": PASSWORD})
    assert language_of(first, "/password/") == "en-ca"
    page = first.get("/password/").content.decode()

    first.post("/language/", {"language": "fr-ca", "next": "/password/"})

    assert 'lang="fr-ca"' in page
    assert "Français" in page
    assert User.objects.get(pk=mia.pk).language == "fr-ca"
    assert language_of(second, "/password/") == "fr-ca"
    assert language_of(second, "/services/nothing-like-it/") == "fr-ca", "A page that says what is not there, too."
    for client in (first, second):
        client.post("/sign-out/")
    assert [language_of(one) for one in (first, second)] == ["fr-ca", "en-ca"], "The first browser keeps a cookie."


@pytest.mark.django_db
@pytest.mark.usefixtures("_french")
def test_a_choice_that_is_none_changes_nothing_and_leads_nowhere_else() -> None:
    mia = make_person("mia")
    client = Client()
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")

    for chosen in ("", "de", "fr", "fr-ca\r\nX: y", "../.."):
        answer = client.post("/language/", {"language": chosen, "next": "https://elsewhere.example/"})
        assert (answer.status_code, answer.headers["Location"], answer.cookies) == (302, "/", {})
    assert User.objects.get(pk=mia.pk).language == ""


@pytest.mark.django_db
def test_where_one_language_is_offered_there_is_no_choice_and_none_is_kept(settings: pytest.FixtureRequest) -> None:
    settings.LANGUAGES = BOTH[:1]
    make_person("mia", language="fr-ca")
    client = Client(headers=FRENCH)

    assert "/language/" not in client.get("/sign-in/").content.decode()
    client.post("/sign-in/", {"username": "mia", "password": PASSWORD})
    client.post("/language/", {"language": "fr-ca", "next": "/password/"})
    assert language_of(client, "/password/") == "en-ca"
    assert "/language/" not in client.get("/password/").content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("_french")
def test_djangos_own_words_are_french_too() -> None:
    page = Client(headers=FRENCH).post("/sign-in/", {"username": "", "password": ""}).content.decode()

    assert "Ce champ est obligatoire." in page


def test_a_catalogue_is_compiled_where_it_is_missing_or_older_and_only_then(tmp_path: Path) -> None:
    folder = tmp_path / "locale"
    source = folder / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE, encoding="utf-8")
    compiled = source.with_suffix(".mo")

    assert catalogues.compiled(folder, tmp_path) == folder
    first = compiled.stat()
    assert "Aperçu".encode() in compiled.read_bytes()
    catalogues.compiled(folder, tmp_path)
    assert compiled.stat().st_ino == first.st_ino, "It was written again."
    os.utime(source, ns=(0, first.st_mtime_ns + 1))
    catalogues.compiled(folder, tmp_path)
    assert compiled.stat().st_ino != first.st_ino
    assert sorted(path.name for path in source.parent.iterdir()) == ["django.mo", "django.po"]


def test_a_catalogue_that_may_not_be_written_beside_its_source_is_compiled_elsewhere(tmp_path: Path) -> None:
    source = tmp_path / "locale" / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE, encoding="utf-8")
    source.with_suffix(f".{os.getpid()}").mkdir()  # Where a draft would be: nothing can be written, root or not.
    data = tmp_path / "data"

    assert catalogues.compiled(tmp_path / "locale", data) == data / "locale"
    assert (data / "locale" / "fr" / "LC_MESSAGES" / "django.mo").exists()


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "locale" / "fr" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(CATALOGUE, encoding="utf-8")
    source.with_suffix(f".{os.getpid()}").mkdir()
    data = tmp_path / "data"
    data.write_text("A file where a folder would be.")

    assert catalogues.compiled(tmp_path / "locale", data) == tmp_path / "locale"
    assert "without compiled catalogues pages are English" in capsys.readouterr().err
