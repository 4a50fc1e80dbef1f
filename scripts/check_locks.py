"""Say whether the lock files are those of pyproject.toml, without a network: each requirement met, by one version."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


def pins(name: str) -> dict[str, set[str]]:
    """Return the versions that a lock file pins, by project; a marker may give one project two versions."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        match = PIN.match(line)
        if match:
            found.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return found


def problems() -> list[str]:
    """Return what is wrong with the lock files; empty means nothing is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    needed = {
        "requirements.lock": (runtime, project["project"]["dependencies"]),
        "requirements-dev.lock": (
            development,
            [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]],
        ),
    }
    found = []
    for name, (locked, requirements) in needed.items():
        for requirement in map(Requirement, requirements):
            versions = locked.get(canonicalize_name(requirement.name))
            if not versions:
                found.append(f"{name} lacks {requirement.name}")
            elif not all(requirement.specifier.contains(version, prereleases=True) for version in versions):
                found.append(
                    f"{name} has {requirement.name} {', '.join(sorted(versions))}, not {requirement.specifier}"
                )
        if "://" in (ROOT / name).read_text():
            found.append(f"{name} names an address; compile it with --no-emit-index-url")
    found += [
        f"{name} is {', '.join(sorted(versions))} in requirements.lock and differs in requirements-dev.lock"
        for name, versions in runtime.items()
        if development.get(name) != versions
    ]
    return found


if __name__ == "__main__":
    wrong = problems()
    sys.exit("\n".join([*wrong, "Compile the locks again: docs/testing.md says how."]) if wrong else 0)
