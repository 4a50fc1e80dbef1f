"""The product's addresses and one that fails, to see the page of a fault as a browser does."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import urlpatterns as ours


def fails(_request: HttpRequest) -> HttpResponse:
    """Fail."""
    raise RuntimeError("A fault of ours.")


urlpatterns = [path("fault/", fails), *ours]
