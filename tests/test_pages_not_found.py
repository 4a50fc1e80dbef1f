"""Pages that are not there cost no connection: under ASGI they are drawn in threads of their own.

Addresses that only take what a form sends say so to whoever opens one in a browser.
"""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.browser import session_of
from tests.deeds import plan_review
from tests.factories import item_of, make_environment, make_person, make_reviewer
from tests.servers.pool import held_of_the_pool
from tests.servers.site import LiveSite
from tests.servers.waiting import eventually


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_pages_that_are_not_there_keep_no_connection_of_the_pool() -> None:
    session, before = session_of(make_person()), held_of_the_pool()
    site = LiveSite()
    site.start()
    try:
        with httpx.Client(base_url=site.url, cookies={settings.SESSION_COOKIE_NAME: session}, timeout=60) as http:
            with ThreadPoolExecutor(4) as several:
                answers = list(
                    several.map(
                        lambda number: http.get(f"/{('checklists/' if number % 2 else '')}nowhere-{number}/"), range(24)
                    )
                )
            assert {answer.status_code for answer in answers} == {404}
            closing = http.get("/keys/", headers={"Accept": "text/html"})
            assert (closing.status_code, closing.headers["Allow"]) == (405, "POST")
            assert "This address has no page of its own" in closing.text
            # They are given back once the answer is sent, so a moment after it came.
            eventually(lambda: held_of_the_pool() <= before, 60, what=f"no more than {before} are held")
    finally:
        site.stop()


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
def test_an_address_of_a_form_that_is_opened_in_a_browser_says_so_and_leads_back(client: Client) -> None:
    ada = make_reviewer()
    prod = make_environment()
    review = plan_review(prod, by=ada)
    item = item_of(prod, "spend-cap").entry
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    about, item_page = f"/reviews/{review.pk}/", reverse("item", args=[prod.service.slug, prod.name, item.slug])
    ways = {
        f"{about}close/": about,
        f"{about}minutes/": about,
        f"{about}meeting/decide/": about,
        f"{item_page}comments/7/remove/": item_page,
        "/my-items/answer/": "/my-items/",
        "/first-steps/put-away/": "/",
        "/sign-out/": "/",
    }
    for address, way_back in ways.items():
        answer = client.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
        said = answer.content.decode()
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST"), address
        assert f'<a href="{way_back}">Back to the page that it belongs to</a>' in said
        assert 'href="/my-items/"' in said, "It has the product's frame."
        for headers in (
            {"Accept": "*/*"},
            {"Accept": "application/json"},
            {"Accept": "text/html", "HX-Request": "true"},
        ):
            short = client.get(address, headers=headers)
            assert (short.status_code, short.headers["Allow"], short.content) == (405, "POST", b"")
    page = client.get("/keys/", headers={"Accept": "text/html", "Accept-Language": "fr-CA"}).content.decode()
    assert "Cette adresse n’a pas de page à elle" in page
