"""A token that was shown once appears nowhere else: everything that the product leaves is searched."""

import re
from typing import Any

import httpx
import pytest
from django.utils import timezone

from readiness.models import ApiToken
from tests.clients import Visitor
from tests.factories import make_admin, make_environment, make_member, make_service, make_team
from tests.servers.processes import RunningProduct
from tests.test_canary_key import assert_clean, encodings, every_row, everything_in_the_broker, pages


@pytest.mark.timeout(900)
def test_a_token_that_was_shown_once_appears_nowhere(
    running_product: RunningProduct, settings: Any, transactional_db: None
) -> None:
    running_product.environ["READINESS_LOG_LEVEL"] = "DEBUG"
    running_product.start_web()
    team = make_team("Canaries")
    prod = make_environment(make_service(team, "payments"), "prod")
    admin = Visitor(running_product.url, make_admin())
    day = timezone.localdate().isoformat()
    shown = admin.post(
        "/tokens/new/", "/tokens/new/", name="CI canaries", team=str(team.pk), scopes="builds:write", last_day=day
    )
    (text,) = set(re.findall(r"rdy_[a-z]{8}_[0-9a-f]{64}", shown.text))
    use_in_every_way(running_product.url, text)
    prod.refresh_from_db()
    assert prod.build == "right"

    token = ApiToken.objects.get()
    needles = [(text, form) for form in encodings(text.split("_")[2])]
    more = ["/tokens/", "/tokens/new/", f"/tokens/{token.pk}/revoke/", "/ledger/", "/api/v1/openapi.json"]
    for visitor in (admin, Visitor(running_product.url, make_member(team))):
        for page in (*pages([prod]), *more):
            answer = visitor.get(page)
            assert_clean(page, answer.content + repr(answer.headers).encode(), needles)
    for where, content in (*every_row(), *everything_in_the_broker(running_product, settings)):
        assert_clean(where, content, needles)
    files = [path for path in (*running_product.folder.glob("*.log"), *settings.DATA_DIR.rglob("*")) if path.is_file()]
    assert any(path.name.startswith("web") and b"/api/v1/builds" in path.read_bytes() for path in files)
    for path in files:
        assert_clean(str(path), path.read_bytes(), needles)
    with pytest.raises(AssertionError):
        assert_clean("the one page that shows it", shown.content, needles)


def use_in_every_way(url: str, text: str) -> None:
    """Send the token rightly, and in each place where people put one by mistake."""
    body = {"service": "payments", "environment": "prod", "build": "right"}
    right = {"Authorization": f"Bearer {text}"}
    answers = [
        httpx.post(f"{url}/api/v1/builds", json=body, headers=right),
        httpx.post(f"{url}/api/v1/builds", json={**body, "build": text}, headers=right),
        httpx.post(f"{url}/api/v1/builds", json={**body, text: "x"}, headers=right),
        httpx.post(f"{url}/api/v1/builds", json={**body, "service": text}, headers=right),
        httpx.post(f"{url}/api/v1/builds", content=text, headers={**right, "Content-Type": "application/json"}),
        httpx.post(f"{url}/api/v1/builds", json=body, headers={"Authorization": f"Basic {text}"}),
        httpx.post(f"{url}/api/v1/builds", json=body, headers={"Authorization": f"Bearer x{text}"}),
        httpx.post(f"{url}/api/v1/builds?token={text}", json=body),
        httpx.get(f"{url}/api/v1/{text}"),
        httpx.get(f"{url}/api/v1/openapi.json", headers=right),
    ]
    assert [answer.status_code for answer in answers] == [201, 422, 422, 422, 400, 401, 401, 401, 404, 200]
