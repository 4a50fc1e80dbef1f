"""The form of a comment."""

from django import forms

from readiness.forms.written import WrittenForm
from readiness.rules import texts


class CommentForm(WrittenForm):
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
        self.refuse("text", texts.comment_refusals(text))
        return text
