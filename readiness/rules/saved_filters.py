"""Under which name an overview may be saved, and how many somebody may keep."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from .texts import holds_key

MOST_FILTERS = 30
MOST_NAME = 60
MOST_QUERY = 1000


def save_refusals(name: str, query: str, *, held: Collection[str]) -> list[str]:
    """Return why somebody who holds filters of these names may not save one; a name that is held is saved anew."""
    if not name.strip():
        return [_("Give it a name.")]
    found = []
    if len(name) > MOST_NAME:
        found.append(_("A name has at most {most_name} letters.").format(most_name=MOST_NAME))
    if not name.isprintable():
        found.append(_("A name is one line of letters."))
    if holds_key(name):
        found.append(_("This looks like a key. A name holds no secret."))
    if holds_key(query):
        found.append(_("What is filtered by looks like a key. It is not kept: replace that key."))
    if len(query) > MOST_QUERY:
        found.append(_("These are too many filters to save."))
    if name not in held and len(held) >= MOST_FILTERS:
        found.append(_("You saved {most_filters} already. Delete one first.").format(most_filters=MOST_FILTERS))
    return found
