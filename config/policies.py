"""What the environment says, read into the types that the product uses. Wrong input is one clear line."""

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from readiness.rules.networks import parse_allowed
from readiness.rules.references import ReferencePolicy, TeamGrant

A_YEAR_S = 366 * 24 * 60 * 60

HSTS_S = 365 * 24 * 60 * 60
"""A year: with cookies that go over HTTPS alone nobody can sign in without it anyway."""
LEAST_LEDGER_KEY = 32


def data_folder(chosen: str, base: Path, *, demo: bool) -> Path:
    """Return where the embedded way keeps its data: the demo's apart, so that it never mixes with one's own."""
    folder = Path(chosen or base / "var").resolve()
    return folder / "demo" if demo else folder


def demo_wanted(env: Any) -> bool:
    """Return whether the demo runs; never with ``DATABASE_URL``, since in it anybody may act as anybody."""
    wanted: bool = env.bool("READINESS_DEMO", default=False)
    if wanted and env.str("DATABASE_URL", default=""):
        raise ImproperlyConfigured(
            "READINESS_DEMO lets anybody act as anybody, so it does not go with DATABASE_URL. Unset one of them."
        )
    return wanted


def embedded_secret_key(data: Path, *, deployed: bool) -> str:
    """Return the key kept in the data folder, made on first use; deployed, it has to be given instead."""
    if deployed:
        raise ImproperlyConfigured("Set READINESS_SECRET_KEY or READINESS_SECRET_KEY_FILE: 50 random characters.")
    path = data / "secret-key"
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise unusable(data, error) from None


def ledger_key(env: Any) -> str:
    """Return the key that signs the ledger's heads; nothing where they are signed with what the secret key gives."""
    key: str = env.str("READINESS_LEDGER_KEY", default="")
    if key and len(key) < LEAST_LEDGER_KEY:
        raise ImproperlyConfigured(f"READINESS_LEDGER_KEY is too short: {LEAST_LEDGER_KEY} random characters or more.")
    return key


def unusable(data: Path, error: OSError) -> ImproperlyConfigured:
    """Return what to say where the data folder cannot be used."""
    return ImproperlyConfigured(
        f"The data folder {data} cannot be used ({error.strerror}). Make it writable or set READINESS_DATA."
    )


def database(env: Any, data: Path, sqlite_options: dict[str, object]) -> dict[str, object]:
    """Return the database settings: ``DATABASE_URL`` (PostgreSQL) where given, else SQLite in the data folder.

    Under ASGI each request may run in a thread of its own, so PostgreSQL connections come from a pool and are not kept
    by a thread; without it the server's limit is reached at once.
    """
    if not env.str("DATABASE_URL", default=""):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": data / "readiness.sqlite3", "OPTIONS": sqlite_options}
    settings: dict[str, Any] = env.db_url("DATABASE_URL")
    password = env.str("DATABASE_PASSWORD", default="")
    if password:
        settings["PASSWORD"] = password
    size = env.int("DATABASE_POOL_SIZE", default=8)
    settings["CONN_MAX_AGE"] = 0
    settings["CONN_HEALTH_CHECKS"] = True
    given = settings.get("OPTIONS", {})
    # While the pool tries again it opens nothing else: an attempt that goes on waits longer each time, up to minutes.
    pool = {"min_size": 1, "max_size": size, "timeout": 10, "reconnect_timeout": 3}
    settings["OPTIONS"] = {"connect_timeout": 5, **given, "pool": pool}
    return settings


def broker_url(env: Any) -> str:
    """Return the broker's URL; a password given apart (also from a file) is put into it."""
    url: str = env.str("BROKER_URL", default="") or "filesystem://"
    password: str = env.str("BROKER_PASSWORD", default="")
    parts = urlsplit(url)
    if password and parts.hostname:
        address = parts.netloc.rpartition("@")[2]
        url = parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{address}").geturl()
    return url


def broker_options(url: str, data: Path) -> dict[str, object]:
    """Return the transport's options: folders for the broker of files, short time-outs for Redis."""
    if url.startswith("filesystem"):
        queue, control = data / "broker", data / "broker-control"
        try:
            for folder in (queue, control):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unusable(data, error) from None
        return {
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(control),
            "polling_interval": 0.2,
        }
    # A message is only a nudge: the run's row and its lease bring a lost one back, so nothing is kept for redelivery.
    # Whoever sends one is a person's request or a sweep: it tries once and goes on.
    once = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0, "connect_retries_timeout": 1}
    return {
        **once,
        "visibility_timeout": 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
    }


def references(env: Any) -> ReferencePolicy:
    """Return what teams may refer to, from ``READINESS_KEY_REFERENCES`` and ``READINESS_SECRETS_MANAGERS``.

    The first is JSON: ``{"team-slug": {"env": ["PREFIX_"], "file": ["/run/secrets/team"]}}``; the second a
    comma-separated list of beginnings of references.
    """
    text = env.str("READINESS_KEY_REFERENCES", default="{}")
    try:
        teams = {team: _grant(team, given) for team, given in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise ImproperlyConfigured(
            'READINESS_KEY_REFERENCES must read {"team": {"env": ["PREFIX_"], "file": ["/folder"]}}: ' + str(error)
        ) from None
    managers = env.list("READINESS_SECRETS_MANAGERS", default=None)
    return ReferencePolicy(teams=teams, managers=None if managers is None else tuple(managers))


def allowed_networks(env: Any) -> tuple[str, ...]:
    """Return the networks that probes may reach, each of which can be read."""
    found = tuple(env.list("READINESS_ALLOWED_NETWORKS", default=[]))
    for text in found:
        try:
            parse_allowed(text)
        except ValueError as error:
            raise ImproperlyConfigured(f"READINESS_ALLOWED_NETWORKS cannot be read: {error}.") from None
    return found


def probe_intervals(env: Any) -> dict[str, float]:
    """Return how many seconds lie between two looks, by probe; the database is asked all the time for less than one."""
    found = env.json("READINESS_PROBE_EVERY_SECONDS", default={})
    good = isinstance(found, dict) and all(type(one) in (int, float) and 1 <= one <= A_YEAR_S for one in found.values())
    if not good:
        raise ImproperlyConfigured(
            'READINESS_PROBE_EVERY_SECONDS must read {"key-validity": 3600}: seconds, 1 to a year.'
        )
    return dict(found)


def _grant(team: str, given: dict[str, list[str]]) -> TeamGrant:
    unknown = set(given) - {"env", "file"}
    if unknown:
        raise ValueError(f"team {team}: {', '.join(sorted(unknown))} is neither env nor file")
    prefixes, folders = tuple(given.get("env", ())), tuple(given.get("file", ()))
    if not all(isinstance(prefix, str) and prefix for prefix in prefixes):
        raise ValueError(f"team {team}: a variable prefix is empty, which would allow every variable")
    if not all(isinstance(folder, str) and folder.startswith("/") and folder.strip("/") for folder in folders):
        raise ValueError(f"team {team}: a folder must be an absolute path below /")
    return TeamGrant(variable_prefixes=prefixes, folders=folders)
