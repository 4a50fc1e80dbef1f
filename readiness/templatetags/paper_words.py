"""Addresses of the files that hold the same as a page."""

from django import template
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def paper_file(name: str, about: Model, form: str) -> str:
    """Return the address of a paper as a file, in the language of the page: a PDF looks the same to whom it is sent."""
    language = (get_language() or "en").partition("-")[0]
    return f"{reverse(name, args=[about.pk, form])}?lang={language}"
