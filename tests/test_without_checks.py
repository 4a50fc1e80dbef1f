"""People tick, ask, grant and read with ``checks`` taken out of the product, and with no broker anywhere."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import sys

import django
from django.core.management import call_command

django.setup()

from django.apps import apps
from django.conf import settings

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # What the tests' people are made with.

from django.test import Client
from django.utils import timezone

from readiness.models import Environment, Event, Item
from readiness.selectors.sheets import sheet
from tests.factories import item_of, make_environment, make_member, make_reviewer, make_service, make_team

assert not apps.is_installed("checks")
call_command("migrate", verbosity=0)
call_command("load_checklist", verbosity=0)
team = make_team("Conversational")
mia, ada = make_member(team, "mia"), make_reviewer("ada")
prod = make_environment(make_service(team, "assistant", by=mia), "prod", by=mia)
member, reviewer = Client(), Client()
member.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
reviewer.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")


def send(client, entry, deed, **form):
    item = item_of(prod, entry)
    address = f"/services/assistant/prod/items/{entry}/{deed}/"
    response = client.post(address, {"seen_version": item.version, **form})
    assert response.status_code == 302, (deed, response.status_code, response.content.decode()[-3000:])


REASON = "The audit store moves to the new cluster next week."
send(member, "spend-cap", "tick", summary="Seen in the dashboard by two of us.", links="https://docs.example.ca/cap")
send(member, "spend-cap", "take-back", summary="It was another environment.")
send(member, "spend-cap", "tick", summary="Seen in the dashboard by two of us.", links="https://docs.example.ca/cap")
send(member, "spend-cap", "assign", owner=mia.pk, due_on="2030-01-01")
send(member, "audit-log", "waiver", stance="accept-risk", reason=REASON, until=timezone.localdate().isoformat())
waiver = item_of(prod, "audit-log").waivers.get()
send(reviewer, "audit-log", "decide", request=f"waiver-{waiver.pk}", answer="grant", note="")
send(member, "store-false", "not-applicable", reason=REASON)
request = item_of(prod, "store-false").notapplicables.get()
send(reviewer, "store-false", "decide", request=f"not-applicable-{request.pk}", answer="grant", note="")

counts = sheet(prod, timezone.now()).tally.counts
assert dict(counts) == {"attested": 1, "waived": 1, "not-applicable": 1, "open": 23}, counts
for address in ("/", "/services/assistant/", "/services/assistant/prod/", "/services/assistant/prod/items/spend-cap/",
                "/services/assistant/prod/items/sse-not-buffered/?tab=runs", "/healthz", "/readyz"):
    assert member.get(address).status_code == 200, address
response = member.post("/services/assistant/prod/run/", {"press": "it"})
assert response.status_code == 403 and b"No probe is installed" in response.content
print("celery" in sys.modules, "checks" in sys.modules, "httpx" in sys.modules, Event.objects.count() > 8)
"""


def test_people_need_no_probe_no_worker_and_no_broker(tmp_path: Path) -> None:
    """Run in a process of its own, since what is installed is settled once a process."""
    ours = ("READINESS_", "DATABASE_", "BROKER_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "READINESS_CHECKS": "0",
        "READINESS_DATA": str(tmp_path),
        "READINESS_HOSTS": "testserver",
        "BROKER_URL": "redis://127.0.0.1:9/0",
        "READINESS_LOG_LEVEL": "ERROR",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.split()[-3:] == ["False", "False", "True"], "Neither checks nor httpx was even imported."
