"""Addresses. A service's name and an environment's name are their addresses."""

from django.urls import include, path

from readiness.views import (
    environments,
    instants,
    items,
    ledger,
    overview,
    passwords,
    requests,
    runs,
    services,
    sheets,
    signing_in,
    tokens,
)

ITEM = "services/<slug:service>/<slug:environment>/items/<slug:entry>/"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("sign-in/", signing_in.sign_in, name="sign-in"),
    path("sign-in/link/", signing_in.sign_in_link, name="sign-in-link"),
    path("sign-out/", signing_in.sign_out, name="sign-out"),
    path("password/", passwords.own_password, name="password"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/export/", ledger.export, name="ledger-export"),
    path("tokens/", tokens.listed, name="tokens"),
    path("tokens/new/", tokens.make, name="token-make"),
    path("tokens/<int:token>/revoke/", tokens.revoke, name="token-revoke"),
    path("api/v1/", include("readiness.api.urls")),
    path("services/new/", services.add, name="service-add"),
    path("services/<slug:service>/", services.show, name="service"),
    path("services/<slug:service>/edit/", services.change, name="service-change"),
    path("services/<slug:service>/new/", environments.add, name="environment-add"),
    path("services/<slug:service>/<slug:environment>/", sheets.sheet, name="sheet"),
    path("services/<slug:service>/<slug:environment>/edit/", environments.change, name="environment-change"),
    path("services/<slug:service>/<slug:environment>/run/", runs.run_all, name="run-all"),
    path("services/<slug:service>/<slug:environment>/live/", sheets.live, name="sheet-live"),
    path("services/<slug:service>/<slug:environment>/at/", instants.sheet_at, name="sheet-at"),
    path(ITEM, items.detail, name="item"),
    path(ITEM + "tick/", items.tick, name="item-tick"),
    path(ITEM + "take-back/", items.take_back, name="item-take-back"),
    path(ITEM + "assign/", items.assign, name="item-assign"),
    path(ITEM + "waiver/", requests.ask_waiver, name="ask-waiver"),
    path(ITEM + "not-applicable/", requests.ask_not_applicable, name="ask-not-applicable"),
    path(ITEM + "decide/", requests.decide, name="decide"),
    path(ITEM + "end/", requests.end, name="end-request"),
    path(ITEM + "run/", runs.run_item, name="item-run"),
    path(ITEM + "runs/<int:run>/", runs.run, name="run"),
]
