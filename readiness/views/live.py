"""The stream that open pages follow."""

from collections.abc import AsyncIterator

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from readiness.live.hub import Hub, Seat, hub

from .access import number_in

FULL_FOR_S = 60
MOST_OF_ONE = 50
"""So many streams of one web process may be one person's: a browser takes one, and a wall of screens a few."""


@login_not_required
@require_GET
async def live(request: HttpRequest) -> HttpResponseBase:
    """Stream what moves in the ledger, after ``Last-Event-ID`` or ``since``, to whoever is signed in.

    401 for strangers, since nobody reads a sign-in page here; 204 where no stream can be held (WSGI, or switched off),
    which tells a browser not to ask again; 503 where as many as may be are open, 429 where as many are this person's.
    Pages poll then.
    """
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse("Sign in first.\n", status=401, content_type="text/plain")
    if not isinstance(request, ASGIRequest) or settings.LIVE_STREAMS == 0:
        return HttpResponse(status=204)
    here = hub()
    if here.open >= settings.LIVE_STREAMS:
        return _full(503, f"{here.open} streams are open, which is as many as this process holds.")
    if here.open_of(user.pk) >= MOST_OF_ONE:
        return _full(429, f"{MOST_OF_ONE} streams of yours are open, which is as many as one person may hold here.")
    last = number_in(request.headers.get("Last-Event-ID", ""))
    known = last if last is not None else number_in(request.GET.get("since", ""))
    return StreamingHttpResponse(
        _stream(here, here.seat(request.session.session_key or "", user.pk), known),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "private, no-cache, no-store, no-transform", "X-Accel-Buffering": "no"},
    )


def _full(status: int, words: str) -> HttpResponse:
    text = f"{words} Ask for pages instead.\n"
    return HttpResponse(text, status=status, content_type="text/plain", headers={"Retry-After": str(FULL_FOR_S)})


async def _stream(here: Hub, seat: Seat, last: int | None) -> AsyncIterator[str]:
    await _let_go()
    async for text in here.follow(seat, last):
        yield text


async def _let_go() -> None:
    """Give back what the request holds: its connection, and the thread that its middleware ran in.

    Both would be kept until the stream ends, and neither is needed: the pool is small, and a container has few threads.
    """
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    if isinstance(context, ThreadSensitiveContext):
        executor = SyncToAsync.context_to_thread_executor.pop(context, None)
        if executor is not None:
            executor.shutdown(wait=False)
