"""The product's addresses, and the bare views beside them that it is measured against."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from readiness.models import Clause, Event, Evidence, EvidenceLink, Item
from readiness.rules.chain import canonical, instant_text, seal


def page(request: HttpRequest) -> HttpResponse:
    """Answer what Django alone answers: every middleware, the session, the person, and a template of one line."""
    return render(request, "bare.html")


@require_POST
def tick(request: HttpRequest, item: int) -> HttpResponse:
    """Write the rows that a tick writes and redirect, without asking who, without locks and without folding."""
    found = Item.objects.select_related("service", "environment").get(pk=item)
    now, environment = timezone.now(), found.environment
    with transaction.atomic():
        written = []
        for clause in Clause.objects.filter(
            entry_id=found.entry_id, retired_at=None, slug__in=request.POST.getlist("clause")
        ):
            evidence = Evidence.objects.create(
                item=found,
                clause=clause.slug,
                outcome="pass",
                summary=request.POST["summary"],
                by=request.user,
                build=environment.build if environment else "",
                observed_at=now,
                recorded_at=now,
                valid_until=now + clause.fresh_tick,
            )
            EvidenceLink.objects.bulk_create([EvidenceLink(evidence=evidence, url=request.POST["links"])])
            written.append(evidence)
        found.version += 1
        found.save(update_fields=["version"])
        found.settled_until, found.first_met_at = written[0].valid_until, now
        found.standing = [{"clause": one.clause, "ticked": one.pk} for one in written]
        found.save(update_fields=["observed_until", "settled_until", "failing_since", "first_met_at", "standing"])
        _append(found, request, now, written)
    return redirect("/")


def _append(item: Item, request: HttpRequest, now, written: list[Evidence]) -> None:
    number, before = Event.objects.order_by("-id").values_list("id", "hash").first()
    line = {"id": number + 1, "at": instant_text(now), "kind": "item.ticked", "by": request.user.pk}
    line |= {"by_name": str(request.user), "service": item.service_id, "environment": item.environment_id}
    line |= {"item": item.pk, "data": {"evidence": [one.pk for one in written], "summary": request.POST["summary"]}}
    text = canonical(line)
    Event.objects.create(
        id=number + 1,
        at=now,
        kind="item.ticked",
        actor=request.user,
        service=item.service,
        environment=item.environment,
        item=item,
        text=text,
        previous_hash=before,
        hash=seal(before, text),
    )


urlpatterns = [
    path("bench/bare/", page),
    path("bench/tick/<int:item>/", tick),
    path("", include("config.urls")),
]
