"""Files of services, and the forms that import them."""

from typing import Any

from readiness.models import User
from readiness.rules.import_file import read
from readiness.selectors.importing import plan


def import_form(by: User, text: str) -> dict[str, Any]:
    """What a browser sends where a person confirms the preview of a file."""
    return {"text": text, "step": "import", "digest": plan(read(text), by.actor).digest}
