"""A version of a checklist, typed or uploaded."""

from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from readiness.models import Team
from readiness.rules.texts import holds_key, without_keys

from .services import resent

MAX_BYTES = 512 * 1024
"""The shipped checklist has about a tenth of that."""

TOO_LONG = format_lazy(
    gettext_lazy("That is too long for a checklist: at most {most} KB are read."), most=MAX_BYTES // 1024
)
NOT_UTF8 = gettext_lazy("This file is not a text in UTF-8. Save it as UTF-8 and choose it again.")
KEY_INSIDE = gettext_lazy(
    "Something in it looks like a key. It was not kept: replace that key, since it has travelled through a form."
)


class ChecklistForm(forms.Form):
    """The text of a version. A file that is chosen takes the place of what was typed, and is shown in its place."""

    text = forms.CharField(
        label=gettext_lazy("File"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "false", "autocapitalize": "off", "wrap": "off"}),
    )
    upload = forms.FileField(
        label=gettext_lazy("Upload a file instead"),
        required=False,
        help_text=gettext_lazy("TOML in UTF-8. It takes the place of the text."),
        widget=forms.FileInput(attrs={"accept": ".toml,text/plain,application/toml"}),
    )

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].required = not self.files.get("upload")

    def clean(self) -> dict[str, Any]:
        """Read the file where one is chosen; line ends become plain ones."""
        cleaned = super().clean() or {}
        upload = cleaned.get("upload")
        text = self._read(upload) if upload else cast("str", cleaned.get("text") or "")
        text = text.replace("\r\n", "\n")
        if len(text.encode(errors="replace")) > MAX_BYTES:
            self.add_error("upload" if upload else "text", TOO_LONG)
        elif upload and "upload" not in self.errors:
            self.data = resent(self.data, **{self.add_prefix("text"): text})
        if holds_key(text):
            self.data = resent(self.data, **{self.add_prefix("text"): without_keys(text)})
            self.add_error("text", KEY_INSIDE)
        cleaned["text"] = text
        return cleaned

    def _read(self, upload: "UploadedFile[bytes]") -> str:
        if (upload.size or 0) > MAX_BYTES:
            self.add_error("upload", TOO_LONG)
            return ""
        try:
            return bytes(upload.read()).decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("upload", NOT_UTF8)
            return ""


class ImportForm(ChecklistForm):
    """A version of any checklist, or a new one."""

    team = forms.ModelChoiceField(
        Team.objects.all(),
        required=False,
        empty_label=gettext_lazy("Every team's services"),
        label=gettext_lazy("Who answers it"),
        help_text=gettext_lazy("Asked once, of a new checklist. One that is here keeps its team."),
    )
    field_order = ["team", "text", "upload"]
