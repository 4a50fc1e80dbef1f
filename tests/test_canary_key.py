"""A key planted in the environment and in a file appears nowhere: everything that the product leaves is searched."""

import base64
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from django.apps import apps
from django.db import connection
from django.utils import timezone

from checks.standin.server import StandInServer
from checks.standin.settings import StandInSettings
from readiness.actions import runs
from readiness.enums.words import RunState
from readiness.models import Environment, Run, User
from readiness.rules.references import ReferencePolicy, TeamGrant
from tests.clients import Visitor
from tests.factories import make_admin, make_environment, make_member, make_service, make_team
from tests.servers.processes import RunningProduct
from tests.servers.waiting import eventually

IN_A_VARIABLE = "qbt_canaryVariable7f3a9c1e5b2d4068"
IN_A_FILE = "qbt_canaryFile0e6d8b4a2c917f5301"
PRESENTED: list[str] = []
SOON_S = 240.0


class Echo(BaseHTTPRequestHandler):
    """A hostile Bastion: sends the key that it was given back in every place where it could be kept."""

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        PRESENTED.append(given)
        moved = self.path.startswith("/moved")
        body = json.dumps({"error": {"code": given, "message": given, "type": given}, "data": [given]}).encode()
        self.send_response(307 if moved else 401, given)
        self.send_header("Location", f"https://elsewhere.invalid/?key={quote(given)}")
        self.send_header("X-Echo", given)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def echoing_server() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def encodings(key: str) -> list[bytes]:
    """Return the key in the forms in which it could lie about, and its end by itself."""
    forms = [key, key[-12:], key[::-1], quote(f"Bearer {key}"), key.encode().hex()]
    for shift in range(3):
        packed = base64.b64encode(b"x" * shift + key.encode()).decode()
        forms.append(packed[4:-4])
    return [form.encode() for form in forms]


NEEDLES = [(key, form) for key in (IN_A_VARIABLE, IN_A_FILE) for form in encodings(key)]


def assert_clean(where: str, content: bytes, needles: Sequence[tuple[str, bytes]] = NEEDLES) -> None:
    found = [f"{key} as {form!r}" for key, form in needles if form in content]
    assert not found, f"{where} holds {found}"


def every_row() -> Iterator[tuple[str, bytes]]:
    """Yield each table of the database as text."""
    for model in apps.get_models(include_auto_created=True):
        rows = list(model._default_manager.values_list())
        yield model._meta.db_table, repr(rows).encode()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            yield table, repr(cursor.fetchall()).encode()


def everything_in_the_broker(product: RunningProduct, settings: Any) -> Iterator[tuple[str, bytes]]:
    if product.servers.valkey is None:
        for path in (settings.DATA_DIR / "broker").rglob("*"):
            yield str(path), path.read_bytes() if path.is_file() else b""
        return
    valkey = product.servers.valkey
    client = redis.Redis(port=valkey.port, password=valkey.password)
    for key in client.keys("*"):
        yield f"broker key {key!r}", client.dump(key) or b""


def plant(product: RunningProduct, settings: Any, folder: Path, ports: tuple[int, int]) -> None:
    """Plant the keys where a worker may resolve them, and let it send them to two servers on loopback."""
    folder.mkdir()
    (folder / "key").write_text(IN_A_FILE + "\n")
    allowed = [f"127.0.0.1/32:{port}" for port in ports]
    hosts = [f"127.0.0.1:{port}" for port in ports]
    grants = {"canaries": {"env": ["CANARIES_"], "file": [str(folder)]}}
    product.environ |= {
        "CANARIES_KEY": IN_A_VARIABLE,
        "READINESS_ALLOWED_NETWORKS": ",".join(allowed),
        "READINESS_KEY_HOSTS": ",".join(hosts),
        "READINESS_KEY_REFERENCES": json.dumps(grants),
        "READINESS_SECRETS_MANAGERS": "env:,file:",
        "READINESS_LOG_LEVEL": "DEBUG",
    }
    settings.ALLOWED_NETWORKS, settings.KEY_HOSTS = tuple(allowed), tuple(hosts)
    team = TeamGrant(variable_prefixes=("CANARIES_",), folders=(str(folder),))
    settings.KEY_REFERENCES = ReferencePolicy(teams={"canaries": team}, managers=("env:", "file:"))


def settled() -> bool:
    return not Run.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING], reason="asked").exists()


def pages(environments: list[Environment]) -> Iterator[str]:
    yield from ("/", "/no-such-page/", "/admin/", "/admin/readiness/user/", "/services/new/", "/readyz")
    for environment in environments:
        sheet = environment.get_absolute_url()
        item = f"{sheet}items/key-in-secrets-manager/"
        yield from (sheet, f"{sheet}edit/", f"{sheet}live/", f"/services/{environment.service.slug}/")
        yield from (f"{item}?tab={tab}" for tab in ("runs", "evidence", "history", "why", "waiver"))
        yield from (f"{item}runs/{run.pk}/" for run in environment.runs.all())
        yield from (f"{item}runs/999999/", f"{item}tick/")


@pytest.mark.timeout(900)
def test_a_planted_key_appears_nowhere(
    running_product: RunningProduct, settings: Any, tmp_path: Path, transactional_db: None
) -> None:
    accepted = StandInSettings(accepted_keys=frozenset({IN_A_VARIABLE}))
    with StandInServer(accepted) as bastion, echoing_server() as echo:
        port = int(bastion.url.split(":")[2].split("/")[0])
        plant(running_product, settings, tmp_path / "keys", (port, echo))
        member = make_member(make_team("Canaries"))
        service = make_service(member.teams.get(), by=member)
        references = ("env:CANARIES_KEY", f"file:{tmp_path}/keys/key")
        urls = (bastion.url, f"http://127.0.0.1:{echo}/v1", f"http://127.0.0.1:{echo}/moved")
        environments = [
            make_environment(service, f"e{number}", by=member, bastion_url=url, key_reference=reference)
            for number, (url, reference) in enumerate((url, one) for url in urls for one in references)
        ]
        running_product.start_web()
        for environment in environments:
            runs.ask(by=member, environment=environment, probes=["key-validity"], now=timezone.now())
        for where, content in everything_in_the_broker(running_product, settings):
            assert_clean(where, content)
        running_product.start_worker()
        running_product.start_scheduler()
        eventually(settled, SOON_S, what="every run is over")
        look_everywhere(running_product, settings, member, environments)
    assert sorted(set(PRESENTED)) == sorted({f"Bearer {IN_A_VARIABLE}", f"Bearer {IN_A_FILE}"})
    states = Run.objects.filter(reason="asked").values_list("state", flat=True)
    assert list(states) == [RunState.DONE] * len(environments)


def look_everywhere(product: RunningProduct, settings: Any, member: User, environments: list[Environment]) -> None:
    """Search what is stored, queued, logged and shown."""
    for visitor in (Visitor(product.url, member), Visitor(product.url, make_admin())):
        for page in pages(environments):
            answer = visitor.get(page)
            assert_clean(page, answer.content + repr(answer.headers).encode())
    for where, content in (*every_row(), *everything_in_the_broker(product, settings)):
        assert_clean(where, content)
    files = [path for path in (*product.folder.glob("*.log"), *settings.DATA_DIR.rglob("*")) if path.is_file()]
    assert any(path.name.startswith("worker") and path.stat().st_size for path in files)
    for path in files:
        assert_clean(str(path), path.read_bytes())


def test_the_search_finds_what_it_looks_for() -> None:
    for key in (IN_A_VARIABLE, IN_A_FILE):
        for content in (key, f"Bearer {key}", base64.b64encode(f"Bearer {key}".encode()).decode(), key[20:]):
            with pytest.raises(AssertionError):
                assert_clean("a place", content.encode())
