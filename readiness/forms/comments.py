"""The form of a comment."""

from typing import Any

from django import forms

from readiness.forms.services import resent
from readiness.rules import texts


class CommentForm(forms.Form):
    """What somebody says beside an item. It is no answer to a version of it: nobody's comment crosses another."""

    text = forms.CharField(
        label="Say something about this item",
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": texts.MOST_TEXT}),
        strip=True,
        error_messages={"required": "Write something first."},
        help_text="Plain text; addresses become links. It counts for nothing: what was seen belongs to the evidence.",
    )

    def clean_text(self) -> str:
        """Ask the rule."""
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        for reason in texts.comment_refusals(text):
            self.add_error("text", reason)
        return text

    def clean(self) -> dict[str, Any]:
        """Show no key again that somebody pasted, not even to them."""
        typed = str(self.data.get("text", ""))
        if texts.holds_key(typed):
            self.data = resent(self.data, text=texts.without_keys(typed))
        return super().clean() or self.cleaned_data
