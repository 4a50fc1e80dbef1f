"""Under which name an overview may be saved, and how many somebody may keep."""

from collections.abc import Collection

from .texts import holds_key

MOST_FILTERS = 30
MOST_NAME = 60
MOST_QUERY = 1000


def save_refusals(name: str, query: str, *, held: Collection[str]) -> list[str]:
    """Return why somebody who holds filters of these names may not save one; a name that is held is saved anew."""
    if not name.strip():
        return ["Give it a name."]
    found = []
    if len(name) > MOST_NAME:
        found.append(f"A name has at most {MOST_NAME} letters.")
    if not name.isprintable():
        found.append("A name is one line of letters.")
    if holds_key(name):
        found.append("This looks like a key. A name holds no secret.")
    if holds_key(query):
        found.append("What is filtered by looks like a key. It is not kept: replace that key.")
    if len(query) > MOST_QUERY:
        found.append("These are too many filters to save.")
    if name not in held and len(held) >= MOST_FILTERS:
        found.append(f"You saved {MOST_FILTERS} already. Delete one first.")
    return found
