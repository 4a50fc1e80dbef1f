"""The ledger's page, and its export."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.rules.chain_file import line_of
from readiness.rules.permissions import export_refusals, insist
from readiness.selectors import chain as stored
from readiness.selectors import ledger as selector

from .access import Request, number_in
from .following import followed

MOST_KIND = 60


@require_safe
@followed()
def ledger(request: Request) -> HttpResponse:
    """Show events, newest first; ``before`` in the address keeps its meaning while events are added."""
    filters = _filters(request.GET)
    context = {
        "now": timezone.now(),
        "filters": filters,
        "page": selector.page(filters, before=number_in(request.GET.get("before", ""))),
        "choices": selector.choices(filters),
        "nobody": selector.NOBODY,
        "export_refusals": export_refusals(request.user.actor),
    }
    return render(request, "ledger.html", context)


@require_safe
def export(request: Request) -> HttpResponseBase:
    """Send every event, or those after a number, as JSON lines while they are read."""
    insist(export_refusals(request.user.actor))
    headers = {"Content-Disposition": 'attachment; filename="ledger.jsonl"'}
    kind = "application/jsonl; charset=utf-8"
    if request.method == "HEAD":
        return HttpResponse(content_type=kind, headers=headers)
    return StreamingHttpResponse(_lines(number_in(request.GET.get("after", ""))), content_type=kind, headers=headers)


async def _lines(after: int | None) -> AsyncIterator[str]:
    # Asynchronous, since the server would otherwise gather the whole ledger before it sent the first line.
    pages = stored.pages(after)
    while page := await sync_to_async(lambda: next(pages, None))():
        yield "".join(map(line_of, page))


def _filters(query: QueryDict) -> selector.Filters:
    def text(name: str) -> str:
        return query.get(name, "").strip().replace("\0", "")[:200]

    return selector.Filters(
        kind=text("kind")[:MOST_KIND],
        person=text("person"),
        service=text("service"),
        item=number_in(text("item")),
    )
