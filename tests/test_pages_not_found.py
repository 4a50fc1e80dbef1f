"""Pages that are not there cost no connection: under ASGI they are drawn in threads of their own."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.conf import settings

from tests.browser import session_of
from tests.factories import make_person
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
            # They are given back once the answer is sent, so a moment after it came.
            eventually(lambda: held_of_the_pool() <= before, 60, what=f"no more than {before} are held")
    finally:
        site.stop()
