"""Commenting on an item, and taking one's own comment back."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.actions import comments as actions
from readiness.forms.comments import CommentForm
from readiness.models import Comment
from readiness.rules.permissions import Refused, comment_refusals, insist, remove_comment_refusals

from .access import Request, find_environment, find_item
from .items import changed, ids, show


@require_POST
def add(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Keep a comment."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    insist(comment_refusals(request.user.actor))
    form = CommentForm(request.POST, auto_id=ids(item, "comment"))
    if not form.is_valid():
        return show(request, found, item, tab="comments", bound={"comment": form}, status=422)
    try:
        actions.add(by=request.user, item_id=item.pk, text=form.cleaned_data["text"], now=timezone.now())
    except Refused as refused:
        return show(request, found, item, tab="comments", bound={"comment": form}, problem=refused.reasons, status=422)
    return changed(request, found, item, tab="comments", said=_("Your comment is kept."))


@require_POST
def remove(request: Request, service: str, environment: str, entry: str, comment: int) -> HttpResponse:
    """Take one's own comment back."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    if comment >= 2**63:
        raise Http404
    said = get_object_or_404(Comment, pk=comment, item=item)
    insist(remove_comment_refusals(request.user.actor, by_id=said.by_id))
    try:
        actions.remove(by=request.user, comment_id=said.pk, now=timezone.now())
    except Refused as refused:
        return show(request, found, item, tab="comments", problem=refused.reasons, status=422)
    return changed(request, found, item, tab="comments", said=_("Your comment is taken back."))
