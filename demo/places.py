"""Where things are in the demo: its ports, its keys, and what the operator of the demo allows."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENV_KEY = "SUPPORT_TRIAGE_STAGING_KEY"
"""One key is referred to as a variable, the others as files, so that both kinds are seen."""

ENV_KEY_OWNER = ("support", "ticket-triage", "staging")

TEAMS = ("conversational", "insurance", "support", "platform")


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses of the demo's world, all on loopback."""

    bastion: str
    services: str
    holding: str
    compressing: str
    billing: str

    @classmethod
    def on(cls, ports: Sequence[int]) -> "Places":
        """Return the places on five ports, in this order."""
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        return cls(
            bastion=urls[0] + "/v1", services=urls[1], holding=urls[2], compressing=urls[3], billing=urls[4] + "/caps"
        )


def key_path(data: Path, team: str, service: str, environment: str) -> Path:
    """Return where the key of an environment is kept: a folder for each team."""
    return data / "keys" / team / f"{service}-{environment}"


def key_of(data: Path, team: str, service: str, environment: str) -> str:
    """Return an environment's key, made on first use. The demo's keys open nothing but its own stand-in."""
    path = key_path(data, team, service, environment)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(f"qbt_demo_{secrets.token_hex(20)}\n")
    return path.read_text().strip()


def environment(data: Path, ports: Sequence[int]) -> dict[str, str]:
    """Return the settings of the demo's operator: its own loopback ports and nothing else may be reached."""
    bastion, billing = ports[0], ports[4]
    grants = {team: {"env": [f"{team.upper()}_"], "file": [str(data / "keys" / team)]} for team in TEAMS}
    return {
        "READINESS_DEMO": "1",
        "READINESS_ALLOWED_NETWORKS": ",".join(f"127.0.0.1/32:{port}" for port in ports),
        "READINESS_KEY_HOSTS": f"127.0.0.1:{bastion},127.0.0.1:{billing}",
        "READINESS_KEY_REFERENCES": json.dumps(grants),
        "READINESS_SECRETS_MANAGERS": f"file:{data / 'keys'}/",
        "READINESS_PROBE_EVERY_SECONDS": json.dumps({"key-validity": 60, "spend-cap": 60, "proxy-buffering": 75}),
        "READINESS_KEY_ASKED_AT_MOST_EVERY_SECONDS": "20",
        ENV_KEY: key_of(data, *ENV_KEY_OWNER),
    }
