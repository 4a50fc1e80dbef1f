"""What compose sets is clean in Django's own eyes, and what a browser and a proxy see of it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from axes.models import AccessAttempt
from ruamel.yaml import YAML

from config.policies import HSTS_S
from readiness.management.commands.signin_link import signin_link
from readiness.rules.throttling import PAIR_LIMIT
from tests.factories import make_person
from tests.servers.processes import RunningProduct

ROOT = Path(__file__).resolve().parent.parent
SAID = re.compile(r"\$\{[A-Z_]+(?::([-?])([^}]*))?\}")
OURS = ("READINESS_", "DATABASE_", "BROKER_", "DJANGO_")
HTTPS = {"X-Forwarded-Proto": "https"}


def composed(folder: Path, **given: str) -> dict[str, str]:
    """What compose gives the web for an operator who says only what has to be said; secrets are in ``folder``."""
    services: Any = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]
    environ = {}
    for name, text in services["web"]["environment"].items():
        said = SAID.sub(lambda found: found[2] if found[1] == "-" else "readiness.example.com", text)
        environ[name] = given.get(name, said).replace("/run/secrets", str(folder))
    for secret in services["web"]["secrets"]:
        (folder / secret).write_text("0123456789abcdef" * 6 + "\n")
    return environ


def manage(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    argv = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(argv, check=False, capture_output=True, text=True, env=kept | environ, cwd=ROOT, timeout=300)


def test_what_compose_sets_has_nothing_to_be_warned_of(tmp_path: Path) -> None:
    done = manage(composed(tmp_path), "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "WARNINGS" not in done.stderr
    assert "2 silenced" in done.stderr + done.stdout, "Only what settings.py argues for is silenced."


def test_the_check_finds_what_is_not_right(tmp_path: Path) -> None:
    """What the test above rests on."""
    wrong = composed(tmp_path, READINESS_HTTPS="false")
    done = manage(wrong, "check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 1
    for warning in ("security.W004", "security.W008", "security.W012", "security.W016"):
        assert warning in done.stderr


def test_deployed_a_browser_is_told_to_use_https_alone_for_a_year_unless_the_operator_says_else(tmp_path: Path) -> None:
    ask = "from django.conf import settings as s; print(s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS)"
    for given, told in (({}, HSTS_S), ({"READINESS_HSTS_SECONDS": "3600"}, 3600), ({"READINESS_HTTPS": "false"}, 0)):
        done = manage(composed(tmp_path, **given), "shell", "--no-imports", "-c", ask)
        assert done.stdout.strip() == f"{told} False", done.stderr


@pytest.fixture
def over_https(running_product: RunningProduct) -> RunningProduct:
    """The web as it stands behind a proxy that ends TLS; the tests are that proxy."""
    running_product.environ |= {"READINESS_HTTPS": "true", "READINESS_HTTPS_REDIRECT": "true"}
    running_product.start_web()
    return running_product


def test_over_https_cookies_belong_to_this_host_and_to_https(over_https: RunningProduct) -> None:
    token = signin_link(make_person("mia"), base="").partition("sesame=")[2]
    referer = over_https.url.replace("http:", "https:") + "/sign-in/link/"
    with httpx.Client(base_url=over_https.url, headers=HTTPS) as http:
        page = http.get(f"/sign-in/link/?sesame={token}")
        csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert csrf
        (planted,) = page.headers.get_list("set-cookie")
        sent = {"csrfmiddlewaretoken": csrf[1], "token": token}
        cookie = planted.partition(";")[0]
        signed_in = http.post("/sign-in/link/", data=sent, headers={"Cookie": cookie, "Referer": referer})
    assert signed_in.status_code == 302, signed_in.text
    cookies = {line.partition("=")[0]: line for line in [planted, *signed_in.headers.get_list("set-cookie")]}
    assert sorted(cookies) == ["__Host-csrftoken", "__Host-readiness", "__Host-readiness_browser"]
    for line in cookies.values():
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes, line
        assert not any(attribute.startswith("domain") for attribute in attributes), line


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/nowhere/", "/static/readiness/tokens.css", "/static/readiness/favicon.svg"]
)
def test_over_https_every_answer_says_what_a_browser_may_do_with_it(over_https: RunningProduct, path: str) -> None:
    headers = httpx.get(over_https.url + path, headers=HTTPS).headers
    assert headers["Strict-Transport-Security"] == f"max-age={HSTS_S}"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    redirected = httpx.get(over_https.url + path)
    assert (redirected.status_code, redirected.headers["location"][:8]) == (301, "https://")
    assert "Content-Security-Policy" in redirected.headers


# --- which address counts ---------------------------------------------------------------------------------------------


def guess(url: str, *, said: str, peer: str) -> int:
    """Guess a password from ``peer``, an address of this machine, which says that it forwards for ``said``."""
    headers = {"X-Forwarded-For": said, "X-Real-IP": said, "Forwarded": f"for={said}"}
    transport = httpx.HTTPTransport(local_address=peer)
    with httpx.Client(base_url=url, headers=headers, transport=transport, timeout=180) as http:
        http.get("/sign-in/")
        form = {"username": "mia", "password": "wrong", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
        return http.post("/sign-in/", data=form).status_code


def test_behind_a_trusted_proxy_the_address_that_it_names_counts(running_product: RunningProduct) -> None:
    running_product.environ["FORWARDED_ALLOW_IPS"] = "127.0.0.1"
    running_product.start_web()
    codes = [guess(running_product.url, said="203.0.113.7", peer="127.0.0.1") for _ in range(PAIR_LIMIT + 1)]
    codes.append(guess(running_product.url, said="203.0.113.8", peer="127.0.0.1"))

    assert codes == [200] * PAIR_LIMIT + [429, 200]
    found = AccessAttempt.objects.order_by("ip_address").values_list("ip_address", "failures_since_start")
    assert list(found) == [("203.0.113.7", PAIR_LIMIT), ("203.0.113.8", 1)]


def test_what_the_client_put_into_the_header_before_the_proxy_does_not_count(running_product: RunningProduct) -> None:
    running_product.environ["FORWARDED_ALLOW_IPS"] = "127.0.0.1"
    running_product.start_web()
    codes = [
        guess(running_product.url, said=f"198.51.100.{number}, 203.0.113.7", peer="127.0.0.1")
        for number in range(PAIR_LIMIT + 1)
    ]
    assert codes == [200] * PAIR_LIMIT + [429]


def test_what_an_untrusted_peer_says_about_its_address_does_not_count(running_product: RunningProduct) -> None:
    running_product.environ["FORWARDED_ALLOW_IPS"] = "127.0.0.1"
    running_product.start_web()
    codes = [
        guess(running_product.url, said=f"203.0.113.{number}", peer="127.0.0.2") for number in range(PAIR_LIMIT + 1)
    ]
    assert codes == [200] * PAIR_LIMIT + [429]
    assert list(AccessAttempt.objects.values_list("ip_address", flat=True)) == ["127.0.0.2"]
