"""What finds English on a French page finds it wherever a reader meets it, and nothing that people wrote."""

import pytest

from tests.untranslated import left_in_english

pytestmark = pytest.mark.only_on("sqlite")


def test_english_is_found_in_texts_and_in_what_is_read_out() -> None:
    html = """
    <html lang="fr-ca"><head><title>Overview · Readiness</title></head><body>
    <h1>Vue d’ensemble</h1><p>3 éléments <b>waiting</b></p>
    <button title="Sign out" aria-label="Fermer la session">…</button>
    <input placeholder="Find a service or item" value="the value of somebody"><input type="submit" value="Sign in">
    <template><p>Since yesterday nobody looked.</p></template>
    </body></html>
    """

    assert left_in_english(html.replace("Overview · Readiness", "Overview")) == [
        "b: waiting",
        "button[title]: Sign out",
        "input[placeholder]: Find a service or item",
        "input[value]: Sign in",
        "p: Since yesterday nobody looked.",
        "title: Overview",
    ]


def test_what_people_wrote_code_and_what_is_marked_are_left_out() -> None:
    html = """
    <html lang="fr-ca"><body><p>Preuve de Mia~: « seen in the vault by two of us »</p>
    <code>the key</code><q lang="en">Separate keys for each of them.</q><b translate="no">Who <i>is</i> it</b>
    <p>Le service search-of-the-day est prêt.</p><span class="mono small">the slug</span>
    <p>Voir is_retryable(), user_id, not/here, *with et 12a4230abe76.</p>
    <p>Verdict, note, Go, p95, API, Bastion</p><br><p>à 14 h 30</p>
    <div lang="en">All of this<span lang="fr">, mais pas cela</span></div></body></html>
    """

    assert left_in_english(html, known=["seen in the vault by two of us"]) == []
    assert left_in_english(html) == [
        "p: Preuve de Mia~: « seen in the vault by two of us »",
    ]
