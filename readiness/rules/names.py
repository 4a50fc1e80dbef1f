"""Names that go into addresses."""

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy

validate_slug = RegexValidator(
    r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\Z",
    gettext_lazy(
        "Use lower-case letters, digits and single hyphens, starting and ending with a letter or digit: assistant-web."
    ),
)

RESERVED_NAMES = frozenset({"new", "edit", "import", "transfer", "archived"})
"""Words that addresses use beside the names of services and environments."""
