"""The deployed way to run: what compose and image promise, and the entry point against a database that comes late."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.proxies.processes import free_ports
from tests.servers.guard import GuardedFolder
from tests.servers.postgresql import PostgreSQL
from tests.servers.valkey import Valkey
from tests.servers.waiting import eventually
from tests.test_settings_docs import variables_read

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"
SERVICES = ("database", "broker", "migrate", "web", "worker", "scheduler")
OURS = ("migrate", "web", "worker", "scheduler")
OURS_TO_SAY = {"READINESS", "BROKER", "DATABASE", "DJANGO"}
NOT_FOR_COMPOSE = {
    "READINESS_CHECKS",  # There would be no worker to run.
    "READINESS_DATA",  # Nothing is kept outside PostgreSQL.
    "READINESS_DEBUG",
    "READINESS_DEMO",
    "READINESS_STATIC_ROOT",  # The image says it.
}


def parsed(path: Path = COMPOSE) -> Any:
    return YAML(typ="safe").load(path)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = parsed()["services"][request.param]
    return found


def program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).parent / name
    return subprocess.run([path, *arguments], check=False, capture_output=True, text=True, cwd=ROOT, timeout=180)


def test_compose_follows_its_specification() -> None:
    done = program("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))

    assert done.returncode == 0, done.stdout


def test_the_dockerfile_is_clean() -> None:
    done = program("hadolint", "Dockerfile")

    assert (done.returncode, done.stdout) == (0, "")


def test_there_is_one_of_each() -> None:
    assert sorted(parsed()["services"]) == sorted(SERVICES)


def test_a_service_has_no_more_rights_than_it_needs(service: dict[str, Any]) -> None:
    uid, gid = service["user"].split(":")

    assert int(uid) >= 100
    assert int(gid) >= 100
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 256
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert any(mount.startswith("/tmp:") for mount in service["tmpfs"])


def test_a_service_is_watched_and_comes_back(service: dict[str, Any]) -> None:
    if service.get("healthcheck", {}).get("disable"):
        assert service == parsed()["services"]["migrate"]
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        assert service["restart"] == "unless-stopped"


def test_only_the_web_publishes_a_port_and_on_loopback_unless_told() -> None:
    published = {name: found["ports"] for name, found in parsed()["services"].items() if "ports" in found}

    assert published == {"web": ["${READINESS_LISTEN:-127.0.0.1:8000}:8000"]}


def test_database_and_broker_have_no_way_out_and_only_web_and_worker_do() -> None:
    found = parsed()

    assert found["networks"]["records"] == {"internal": True}
    assert {name: sorted(one["networks"]) for name, one in found["services"].items()} == {
        "database": ["records"],
        "broker": ["records"],
        "migrate": ["records"],
        "web": ["outside", "records"],
        "worker": ["outside", "records"],
        "scheduler": ["records"],
    }


def test_every_secret_is_a_file() -> None:
    found = parsed()

    assert all(set(secret) == {"file"} for secret in found["secrets"].values())
    for one in found["services"].values():
        for name, value in one["environment"].items() if "environment" in one else ():
            if re.search(r"PASSWORD|SECRET_KEY", name):
                assert name.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in one["secrets"]
    assert not re.search(r"://[^/\s]*:[^/\s]*@", COMPOSE.read_text())


def test_migrations_are_through_before_anything_else_starts() -> None:
    services = parsed()["services"]

    for name in ("web", "worker", "scheduler"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_setting_can_be_given_to_compose() -> None:
    services = parsed()["services"]

    for name in OURS:
        given = {key.removesuffix("_FILE") if key.endswith(("KEY_FILE", "PASSWORD_FILE")) else key
                 for key in services[name]["environment"]}  # fmt: skip
        known = variables_read() - NOT_FOR_COMPOSE - ({"READINESS_WORKER_PULSE"} if name != "worker" else set())
        assert given == known | ({"FORWARDED_ALLOW_IPS"} if name == "web" else set())


def test_the_podman_file_names_services_that_exist() -> None:
    text = (ROOT / "deploy" / "podman.yml").read_text().replace("!reset ", "")

    assert set(YAML(typ="safe").load(text)["services"]) == set(OURS)


def test_the_image_gets_what_is_named_and_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}

    assert "*" in lines
    assert all((ROOT / path).exists() for path in kept)
    assert not {"deploy", "deploy/secrets", "var", ".git", "tests", "demo"} & kept
    assert "READINESS_SECRET_KEY" not in re.sub(
        r"^RUN .*?(?<!\\)$", "", (ROOT / "Dockerfile").read_text(), flags=re.DOTALL | re.MULTILINE
    )


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make = [str(ROOT / "deploy" / "make-secrets.sh"), str(folder)]
    subprocess.run(make, check=True, capture_output=True)
    made = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    subprocess.run(make, check=True, capture_output=True)

    assert sorted(made) == ["broker_password", "database_password", "secret_key"]
    assert all(re.fullmatch(r"[0-9a-f]{96}", value) for value in made.values())
    assert len(set(made.values())) == 3
    assert {path.name: path.read_text() for path in folder.iterdir() if path.is_file()} == made
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()} == {0o444}


def entrypoint(*command: str, **environ: str) -> subprocess.Popen[str]:
    bare = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "deploy" / "entrypoint.py"), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=bare | environ,
    )


@pytest.fixture
def late_database() -> Iterator[PostgreSQL]:
    """A PostgreSQL with a port that nobody listens on yet."""
    folder = GuardedFolder("readiness-late-")
    database = PostgreSQL(folder.path)
    (database.port,) = free_ports(1)
    yield database
    database.stop()
    folder.remove()


def test_the_entry_point_waits_for_a_database_that_comes_late(late_database: PostgreSQL, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(late_database.password + "\n")
    started = time.monotonic()
    process = entrypoint(
        sys.executable,
        "-c",
        "print('the command runs')",
        DATABASE_URL=f"postgres://{late_database.user}@127.0.0.1:{late_database.port}/postgres",
        DATABASE_PASSWORD_FILE=str(tmp_path / "password"),
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    late_database.start()
    said, more = process.communicate(timeout=180)

    assert first == f"entrypoint: Waiting for the database at 127.0.0.1:{late_database.port}: Connection refused\n"
    assert (process.returncode, said) == (0, "the command runs\n")
    assert len(more.splitlines()) <= time.monotonic() - started + 1
    assert late_database.password not in first + more


def test_the_entry_point_gives_up_in_time_and_says_so() -> None:
    (port,) = free_ports(1)
    process = entrypoint("true", DATABASE_URL=f"postgres://r@127.0.0.1:{port}/r", READINESS_DATABASE_WAIT_SECONDS="2")
    _said, errors = process.communicate(timeout=180)

    assert process.returncode == 69
    assert errors.splitlines()[-1] == (
        f"entrypoint: Gave up on the database at 127.0.0.1:{port} after 2 s: Connection refused"
    )
    assert len(errors.splitlines()) <= 3


def test_the_entry_point_stops_waiting_when_it_is_told_to_end() -> None:
    (port,) = free_ports(1)
    process = entrypoint("true", DATABASE_URL=f"postgres://r@127.0.0.1:{port}/r")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("environ", "code", "line"),
    [
        (
            {"DATABASE_PASSWORD_FILE": "/none", "DATABASE_URL": "postgres://r@h/r"},
            78,
            "DATABASE_PASSWORD_FILE names /none",
        ),
        ({"DATABASE_URL": "mysql://r@h/r"}, 78, "DATABASE_URL must begin with postgres://"),
        ({"READINESS_DATABASE_WAIT_SECONDS": "soon"}, 78, "READINESS_DATABASE_WAIT_SECONDS cannot be read"),
    ],
)
def test_the_entry_point_says_in_one_line_what_is_set_wrongly(environ: dict[str, str], code: int, line: str) -> None:
    process = entrypoint("true", **environ)
    _said, errors = process.communicate(timeout=180)

    assert process.returncode == code
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"entrypoint: {line}")


def test_without_a_database_of_its_own_there_is_nothing_to_wait_for() -> None:
    process = entrypoint("echo", "at once")
    assert process.communicate(timeout=180) == ("at once\n", "")


def healthy(word: str, **environ: str) -> tuple[int, str]:
    bare = {"PATH": os.environ["PATH"]}
    argv = [sys.executable, str(ROOT / "deploy" / "healthy.py"), word]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=bare | environ, timeout=180)
    return done.returncode, done.stdout.strip()


def test_a_worker_is_healthy_while_its_pulse_is_fresh(tmp_path: Path) -> None:
    pulse = tmp_path / "pulse"
    assert healthy("worker", READINESS_WORKER_PULSE=str(pulse)) == (1, f"no pulse yet at {pulse}")

    pulse.touch()
    assert healthy("worker", READINESS_WORKER_PULSE=str(pulse)) == (0, "")

    os.utime(pulse, (time.time() - 31, time.time() - 31))
    assert healthy("worker", READINESS_WORKER_PULSE=str(pulse)) == (1, "no pulse for 31 s")


def test_a_web_process_that_does_not_answer_is_not_healthy() -> None:
    (port,) = free_ports(1)
    code, said = healthy("web", READINESS_HEALTH_URL=f"http://127.0.0.1:{port}/healthz")

    assert code == 1
    assert "Connection refused" in said
    assert healthy("nobody")[0] == 64


def test_a_worker_takes_the_brokers_password_from_its_file_and_beats(tmp_path: Path) -> None:
    """Celery's command line reads BROKER_URL too, and without the password it would win over the settings."""
    broker = Valkey(tmp_path)
    broker.start()
    (tmp_path / "password").write_text(broker.password + "\n")
    pulse = tmp_path / "pulse"
    environ = {name: value for name, value in os.environ.items() if name.partition("_")[0] not in OURS_TO_SAY}
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "1", "-l", "INFO",
               "--without-gossip", "--without-mingle", "--without-heartbeat"]  # fmt: skip
    log = tmp_path / "log"
    with log.open("w") as output:
        worker = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environ
            | {
                "BROKER_URL": f"redis://127.0.0.1:{broker.port}/0",
                "BROKER_PASSWORD_FILE": str(tmp_path / "password"),
                "READINESS_DATA": str(tmp_path),
                "READINESS_WORKER_PULSE": str(pulse),
            },
        )
    try:
        first = eventually(lambda: pulse.exists() and pulse.stat().st_mtime_ns, 180, what="the worker's pulse")
        eventually(lambda: pulse.stat().st_mtime_ns > first, 180, what="the worker's second beat, from its loop")
        assert "Cannot connect" not in log.read_text()
    finally:
        worker.terminate()
        worker.wait(timeout=60)
        broker.stop()
