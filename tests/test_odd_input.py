"""What nobody's browser would send: fields filled with it, and addresses asked in odd ways. Nothing breaks by it."""

import pytest
from django.db import transaction

from readiness.selectors import fleet
from tests.deeds import everything
from tests.test_permissions import ROLES, TABLE, Place, place

__all__ = ["place"]
# This one takes less than the other: no NUL, no text or number that is too long.
pytestmark = [pytest.mark.django_db, pytest.mark.only_on("postgresql")]

WHO_MAY = {name: ROLES[row[1].index(302)] for name, row in TABLE.items() if 302 in row[1]} | {"token-make": "admin"}
FORMS = sorted(set(WHO_MAY) - {"sign-out", "admin-password"})
ODD = ["\0", "9" * 40, "\ud800<script>alert(1)</script>", "9999-12-31T23:59"]
QUERIES = [
    "?next=/sign-in/",
    "?next=//evil.example&before=" + "9" * 40 + "&after=-1&page=" + "9" * 17 + "&format=csv",
    "?at=9999-12-31T23:59&tab=%00&since=%00&runs=%00&kind=%00&person=%00&service=%00&q=%00&team=%00&entry=%00",
    "?to=%00&launch=%00/%00&owner=%00&window=%00&verdict=%00&group=%00&rows=%00&status=%00&sort=%00&drawn=%00",
    "?at=0001-01-01&item=" + "9" * 18 + "&state=x&page=0&format=%00&before=0&after=" + "9" * 18,
]


def test_no_form_breaks_whatever_is_in_a_field(place: Place) -> None:
    for name in FORMS:
        fleet.forget()  # What was rolled back is nowhere, and not in what a process keeps either.
        with transaction.atomic():
            client = place.client(WHO_MAY[name])
            place.prepare(name)
            address, form = place.address(name), place.form(name)
            for number, field in enumerate(form):
                value = ODD[number % len(ODD)].encode("utf-8", "surrogatepass")
                with transaction.atomic():
                    response = client.post(address, {**form, field: value})
                    assert response.status_code < 500, (name, field)
                    assert b"<script>alert(1)" not in response.content, (name, field)
                    transaction.set_rollback(True)
            transaction.set_rollback(True)


def test_no_address_breaks_whatever_is_asked(place: Place) -> None:
    before, client = everything(), place.client("admin")
    for name in sorted(set(TABLE) - {"readyz"}):
        for query in QUERIES:
            response = client.get(place.address(name) + query)
            assert response.status_code < 500, (name, query)
            assert "evil.example" not in response.headers.get("Location", "").partition("?")[0], name
        for method in (client.put, client.patch, client.delete, client.options):
            assert method(place.address(name)).status_code < 500, name
        assert everything() == before, name
