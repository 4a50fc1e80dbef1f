"""Pages that are not there cost no connection: under ASGI they are drawn in threads of their own."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings

from tests.browser import session_of
from tests.factories import make_person
from tests.servers.site import LiveSite


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_pages_that_are_not_there_keep_no_connection_of_the_pool() -> None:
    site = LiveSite()
    site.start()
    try:
        with httpx.Client(
            base_url=site.url, cookies={settings.SESSION_COOKIE_NAME: session_of(make_person())}, timeout=30
        ) as http:
            with ThreadPoolExecutor(4) as several:
                answers = list(
                    several.map(
                        lambda number: http.get(f"/{('checklists/' if number % 2 else '')}nowhere-{number}/"), range(24)
                    )
                )
            assert {answer.status_code for answer in answers} == {404}
            from django.db import connection

            pool = connection.pool
            assert pool is not None
            held = pool.get_stats()["pool_size"] - pool.get_stats()["pool_available"]
            assert held <= 1, "This test's own, and no other."
    finally:
        site.stop()
