"""What is handed to others: the pack of a decision and the minutes of a review, as a page, as a PDF and as JSON."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from readiness.models import Decision
from readiness.papers.minutes import minutes_json, minutes_paper
from readiness.papers.pack import pack_json, pack_paper
from readiness.papers.paper import Paper
from readiness.papers.typesetting import Busy, Size, as_pdf
from readiness.papers.words import legend
from readiness.selectors.packs import pack_of
from readiness.selectors.proceedings import proceedings_of

from .access import MOST_DIGITS, Request
from .reviews import find_review

AGAIN_AFTER_S = 30
"""When whoever is told that too many papers are being set is told to ask again."""


@require_safe
def pack(request: Request, decision: int) -> HttpResponse:
    """Show the pack of a decision as it is printed. ``lang`` asks for a language."""
    found = _find(decision)
    with asked_language(request):
        return paper_page(request, pack_paper(pack_of(found), base=base_of(request)), found, "decision-pack-file")


@require_safe
def pack_file(request: Request, decision: str, form: str) -> HttpResponse:
    """Answer the pack of a decision as JSON or as a PDF. ``lang`` asks for a language, ``paper=a4`` for that size."""
    found = pack_of(_find(int(decision[: MOST_DIGITS + 1])))
    if form == "json":
        return json_file(pack_json(found), "pack")
    with asked_language(request):
        return pdf_file(request, pack_paper(found, base=base_of(request)))


@require_safe
def minutes(request: Request, review: int) -> HttpResponse:
    """Show the minutes of a review as they are printed. ``lang`` asks for a language."""
    found = find_review(review)
    with asked_language(request):
        return paper_page(request, minutes_paper(proceedings_of(found), base=base_of(request)), found, "minutes-file")


@require_safe
def minutes_file(request: Request, review: str, form: str) -> HttpResponse:
    """Answer the minutes of a review as JSON or as a PDF, asked for like those of a pack."""
    held = proceedings_of(find_review(int(review[: MOST_DIGITS + 1])))
    if form == "json":
        return json_file(minutes_json(held), "minutes")
    with asked_language(request):
        return pdf_file(request, minutes_paper(held, base=base_of(request)))


@contextmanager
def asked_language(request: Request) -> Iterator[None]:
    """Speak the language that an address asks for, where it is one, and else the reader's."""
    asked = request.GET.get("lang", "")
    codes = (code for code, _name in settings.LANGUAGES if asked in (code, code.partition("-")[0]))
    with translation.override(next(codes, translation.get_language())):
        yield


def base_of(request: Request) -> str:
    """Return the address of this installation, without a slash at its end."""
    return request.build_absolute_uri("/").rstrip("/")


def paper_page(request: Request, paper: Paper, about: object, files: str) -> HttpResponse:
    """Answer a paper as a page; ``files`` names the address of the same as a PDF and as JSON."""
    context = {"now": timezone.now(), "paper": paper, "about": about, "files": files, "legend": legend()}
    return _spoken(render(request, "paper.html", context))


def pdf_file(request: Request, paper: Paper) -> HttpResponse:
    """Answer a paper as a PDF that a browser shows, or 503 where too many are being set."""
    size: Size = "a4" if request.GET.get("paper") == "a4" else "us-letter"
    name = f'inline; filename="{paper.name}.pdf"'
    try:
        file = as_pdf(paper, size=size)
    except Busy:
        words = _("Too many documents are being made at this moment. Ask again in half a minute.")
        headers = {"Retry-After": str(AGAIN_AFTER_S), "Cache-Control": "no-store"}
        return HttpResponse(f"{words}\n", status=503, content_type="text/plain; charset=utf-8", headers=headers)
    return _spoken(HttpResponse(file, content_type="application/pdf", headers={"Content-Disposition": name}))


def _spoken(answer: HttpResponse) -> HttpResponse:
    """Say in which language an answer is, which need not be the reader's."""
    answer.headers["Content-Language"] = translation.get_language() or "en"
    return answer


def json_file(content: dict[str, object], name: str) -> HttpResponse:
    """Answer JSON as a file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    return JsonResponse(content, headers=headers, json_dumps_params={"ensure_ascii": False, "indent": 1})


def _find(decision: int) -> Decision:
    found = Decision.objects.select_related("by", "review")
    return get_object_or_404(found, pk=min(decision, 10**MOST_DIGITS))
