"""No page breaks its own content security policy, and the policy allows nothing inline, whatever the page."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as product
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page

from readiness.enums.words import Judgement
from readiness.models import Environment, User
from tests.browser import NewContext, SignedIn, session_of
from tests.deeds import observe
from tests.factories import make_admin, make_environment, make_member, make_service, make_team
from tests.servers.site import LiveSite
from tests.test_permissions import named

pytestmark = pytest.mark.only_on("postgresql")
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""
INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S|\sstyle=|\son[a-z]+=[\"']|<style|javascript:", re.IGNORECASE)


@pytest.fixture
def admin(transactional_db: None) -> User:
    return make_admin("root")


@pytest.fixture
def prod(admin: User) -> Environment:
    team = make_team("Conversational")
    member = make_member(team, "mia")
    prod = make_environment(make_service(team, "assistant", by=member), "prod", by=member, now=timezone.now())
    observe(prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.INCONCLUSIVE)
    return prod


def walked(prod: Environment, admin: User) -> Iterator[str]:
    """Every kind of page that an admin sees; what is refused and what is not there among them."""
    sheet = prod.get_absolute_url()
    item = f"{sheet}items/spend-cap/"
    service = reverse("service", args=[prod.service.slug])
    yield from (
        "/",
        "/?q=nothing-like-it",
        "/password/",
        "/services/new/",
        service,
        f"{service}edit/",
        f"{service}new/",
    )
    yield from (sheet, f"{sheet}edit/", item)
    yield from (f"{item}?tab={tab}" for tab in ("evidence", "waiver", "runs", "history", "why"))
    yield from ("/nowhere/", "/sign-in/link/?sesame=wrong", "/admin/nowhere/")
    for kind, key in (("user", admin.pk), ("team", prod.service.team_id)):
        changes = f"/admin/readiness/{kind}/"
        yield from (changes, f"{changes}add/", f"{changes}{key}/change/", f"{changes}{key}/history/")
        yield f"{changes}{key}/delete/"
    yield from ("/admin/", "/admin/readiness/", f"/admin/readiness/user/{admin.pk}/password/")
    yield from (
        "/admin/readiness/billingsource/",
        "/admin/readiness/billingsource/add/",
        "/admin/readiness/user/?q=mia",
    )


def pages_of_the_configuration(prod: Environment) -> Iterator[str]:
    """Every address of the URL configuration that these arguments fit, so that a new page is walked by itself."""
    service, environment = prod.service.slug, prod.name
    for name in set(named()) - {"live"}:  # A stream has no end, and is no page.
        for args in ([], [service], [service, environment], [service, environment, "spend-cap"]):
            try:
                yield reverse(name, args=args)
            except NoReverseMatch:
                continue


def kept(page: Page) -> None:
    """Assert that the page in the browser broke nothing, has styles, and has nothing inline."""
    assert page.evaluate("window.broken") == [], page.url
    assert page.evaluate("document.styleSheets.length") > 0, page.url
    assert not INLINE.search(page.evaluate("fetch(location.href).then((answer) => answer.text())")), page.url


def test_no_page_breaks_the_policy_for_an_admin(
    signed_in: SignedIn, prod: Environment, admin: User, settings: Any
) -> None:
    settings.LIVE_STREAMS = 0  # With a stream the network is never idle.
    page = signed_in(admin)
    page.add_init_script(WATCH)
    for address in walked(prod, admin):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status < 500, address
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, address
        assert "default-src 'none'" in policy, address
        page.wait_for_load_state("networkidle")
        kept(page)


def test_no_page_of_the_configuration_breaks_the_policy(signed_in: SignedIn, prod: Environment, admin: User) -> None:
    page = signed_in(admin)
    page.add_init_script(WATCH)
    walked_pages = 0
    for address in pages_of_the_configuration(prod):
        seen = page.request.get(address, max_redirects=0)
        if seen.status == 200 and seen.headers.get("content-type", "").startswith("text/html"):
            assert "unsafe" not in seen.headers["content-security-policy"], address
            page.goto(address)
            if page.locator("head link").count():  # A part of a page, which htmx asks for, has no head of its own.
                kept(page)
            walked_pages += 1
    assert walked_pages > 8


def test_no_page_breaks_the_policy_for_a_stranger(
    new_context: NewContext, live_site: LiveSite, prod: Environment, settings: object
) -> None:
    settings.ROOT_URLCONF = "tests.urls_with_a_fault"  # type: ignore[attr-defined]
    page = new_context().new_page()
    page.add_init_script(WATCH)
    for address, status in (("/sign-in/", 200), ("/", 200), ("/sign-in/link/", 403), ("/nowhere/", 404)):
        answer = page.goto(address)
        assert answer is not None
        assert (address, answer.status) == (address, status)
        kept(page)
    person = new_context()
    person.add_cookies(
        [{"name": product.SESSION_COOKIE_NAME, "value": session_of(make_member(make_team())), "url": live_site.url}]
    )
    page = person.new_page()
    page.add_init_script(WATCH)
    for address, status in (("/fault/", 500), ("/admin/", 403), (prod.get_absolute_url() + "edit/", 403)):
        answer = page.goto(address)
        assert answer is not None
        assert (address, answer.status) == (address, status)
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert page.evaluate("window.broken") == []
        assert page.locator("h1").count() == 1


def test_a_page_that_is_refused_for_its_token_or_for_too_many_guesses_keeps_the_policy(
    new_context: NewContext, live_site: LiveSite
) -> None:
    context = new_context()
    page = context.new_page()
    page.add_init_script(WATCH)
    for _ in range(6):
        page.goto("/sign-in/")
        page.get_by_label("Username").fill("mia")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        assert page.evaluate("window.broken") == []
    assert page.get_by_role("heading", name="Too many attempts failed").is_visible()
    page.goto("/sign-in/")
    context.clear_cookies()
    page.get_by_label("Username").fill("mia")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("heading", name="This page was out of date").is_visible()
    assert page.evaluate("window.broken") == []


def test_the_policy_is_really_kept_by_the_browser(browser: Browser, live_site: LiveSite) -> None:
    """What the others rest on: a script that is put into a page does not run, and the watch sees it."""
    context = browser.new_context(base_url=live_site.url)
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto("/sign-in/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.wait_for_function("window.broken.length > 0")
    assert page.evaluate("window.ran") is None
    context.close()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/sign-in/", "/nowhere/", "/healthz", "/admin/"])
def test_every_page_says_what_a_browser_may_do_with_it(path: str) -> None:
    headers = Client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    for directive in ("default-src", "object-src", "worker-src", "manifest-src", "base-uri", "frame-ancestors"):
        assert f"{directive} 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_a_request_for_another_host_is_refused_on_a_page_of_ours() -> None:
    response = Client().get("/sign-in/", headers={"host": "evil.example.com"})
    assert response.status_code == 400
    assert "This request cannot be read" in response.content.decode()
    assert "evil.example.com" not in response.content.decode()
    assert "Content-Security-Policy" in response.headers


def test_no_template_has_anything_inline() -> None:
    for template in TEMPLATES.rglob("*.html"):
        assert not INLINE.search(template.read_text()), template
