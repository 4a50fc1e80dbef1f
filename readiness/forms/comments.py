"""The form of a comment."""

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.written import WrittenForm
from readiness.rules import texts


class CommentForm(WrittenForm):
    """What somebody says beside an item. It is no answer to a version of it: nobody's comment crosses another."""

    text = forms.CharField(
        label=gettext_lazy("Say something about this item"),
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": texts.MOST_TEXT}),
        strip=True,
        error_messages={"required": gettext_lazy("Write something first.")},
        help_text=gettext_lazy(
            "Plain text; addresses become links. It counts for nothing: what was seen belongs to the evidence."
        ),
    )

    def clean_text(self) -> str:
        """Ask the rule."""
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        self.refuse("text", texts.comment_refusals(text))
        return text
