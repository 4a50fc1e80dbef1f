"""The catalogue of words: what is found in the code, what is kept, and what is said to be wrong with it."""

from pathlib import Path

import pytest
from django.conf import settings

from scripts import catalogue

pytestmark = pytest.mark.only_on("sqlite")
PYTHON = """
from django.utils.translation import gettext as _, gettext_lazy, gettext_noop, ngettext, npgettext, pgettext

one = _("A sentence with {name}.").format(name=1)
two = ngettext("{n} item", "{n} items", 2).format(n=2)
three = pgettext("verb", "Open")
four = npgettext("place", "{n} thing", "{n} things", 2)
five = gettext_lazy("Two parts " "of one")
six = gettext_noop("Kept for later")
seven = _(one)
"""
TEMPLATE = """
{% load i18n %}
{# A comment that says nothing. #}
{% translate "Plain, 100%" %} {% translate "Open" context "verb" %} {{ "Filtered"|default:_("By default") }}
  {% if x == _("Constant") %}
{% blocktranslate trimmed with name=x %}
  Two lines
  for {{ name }}
{% endblocktranslate %}{% endif %}
{% blocktranslate count n=items trimmed %}
  {{ n }} thing
{% plural %}
  {{ n }} things
{% endblocktranslate %}
"""
FOUND = [
    ("", "A sentence with {name}.", ""),
    ("", "{n} item", "{n} items"),
    ("verb", "Open", ""),
    ("place", "{n} thing", "{n} things"),
    ("", "Two parts of one", ""),
    ("", "Kept for later", ""),
    ("", "Plain, 100%%", ""),
    ("", "By default", ""),
    ("", "Constant", ""),
    ("", "Two lines for %(name)s", ""),
    ("", "%(n)s thing", "%(n)s things"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of one file in Python and one template, with an empty catalogue."""
    for folder in (*catalogue.PYTHON, "templates", "locale/fr/LC_MESSAGES"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "readiness" / "words.py").write_text(PYTHON, encoding="utf-8")
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE, encoding="utf-8")
    kept(tmp_path).write_bytes(catalogue.written([], {}))
    return tmp_path


def kept(root: Path) -> Path:
    return root / "locale" / "fr" / "LC_MESSAGES" / "django.po"


def faults(root: Path, **french: str | tuple[str, str]) -> list[str]:
    """What is wrong where these sentences, by their beginning, have this French and all others a good one."""
    sentences = catalogue.said(root)
    known = {}
    for key, one in sentences.items():
        usual = (one.singular, one.plural) if one.plural else one.singular
        chosen = next((text for begins, text in french.items() if key[1].startswith(begins)), usual)
        known[key] = catalogue.Message(one.id, chosen, context=key[0] or None)
    kept(root).write_bytes(catalogue.written(sentences.values(), known))
    return catalogue.faults(root, kept(root))


def test_every_way_to_mark_a_sentence_is_found(root: Path) -> None:
    sentences = catalogue.said(root)

    assert [(one.context, one.singular, one.plural) for one in sentences.values()] == FOUND
    assert sentences["verb", "Open"].files == ["readiness/words.py", "templates/page.html"]


def test_a_whole_catalogue_has_no_fault_and_is_written_the_same_again(root: Path) -> None:
    assert faults(root) == []
    content = kept(root).read_bytes()
    assert catalogue.written(catalogue.said(root).values(), catalogue.held(kept(root))) == content
    assert b"page.html:" not in content, "A line number changes with every line above it."


def test_what_is_missing_or_filled_in_another_way_is_said(root: Path) -> None:
    assert faults(root, Kept="") == ["no French: 'Kept for later' (readiness/words.py)"]
    assert faults(root, A="Une phrase.") == ["fills in [], not ['name']: 'Une phrase.'"]
    assert faults(root, Two="Deux « x » ") != []
    assert faults(root, **{"%": ("Une chose", "%(n)s choses")}) == ["fills in [], not ['n']: 'Une chose'"]
    assert faults(root, Kept="Un <b>") == ["has other marks (< > \" &) than the English: 'Un <b>'"]


def test_french_is_set_by_rule() -> None:
    said = "L'un dit : « 12 % », d'{name} : %(n)s %, et rien après %(n)s : qu'« un », “{name}”"

    assert catalogue.typeset(said).replace("\N{NO-BREAK SPACE}", "~") == (
        "L’un dit~: «~12~%~», d’{name}~: %(n)s~%, et rien après %(n)s~: qu’«~un~», «~{name}~»"
    )
    assert catalogue.typeset(catalogue.typeset(said)) == catalogue.typeset(said)


def test_what_the_code_does_not_say_any_more_is_said_and_dropped(root: Path) -> None:
    assert faults(root) == []
    path = root / "readiness" / "words.py"
    path.write_text(PYTHON.replace("Kept for later", "Said another way"), encoding="utf-8")

    assert catalogue.faults(root, kept(root)) == [
        "no French: 'Said another way' (readiness/words.py)",
        "said nowhere any more: 'Kept for later'",
    ]
    content = catalogue.written(catalogue.said(root).values(), catalogue.held(kept(root)))
    assert b"Kept for later" not in content


def test_french_is_offered_only_where_nothing_is_left_in_english() -> None:
    """While it is not offered, what is there already has to be right: what is filled in, and how it is written."""
    wrong = catalogue.faults()

    if settings.FRENCH:
        assert wrong == []
    assert [one for one in wrong if one.startswith(("fills in", "has ", "white space"))] == []
