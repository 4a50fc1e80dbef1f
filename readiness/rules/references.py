"""What a key reference may name. Pure text rules: whether the secret is there is for the first run to report."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .marking import gettext_noop
from .messages import register, say

SCHEMES = ("env", "file")
_SETTING = "READINESS_KEY_REFERENCES"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class TeamGrant:
    """What one team may refer to: beginnings of variable names, and folders (absolute, each with all below it)."""

    variable_prefixes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferencePolicy:
    """What the operator lets each team refer to, by team slug, and which references count as a secrets manager.

    ``managers`` are beginnings of references (``file:/run/secrets/``); None means that the operator has not said.
    """

    teams: Mapping[str, TeamGrant] = field(default_factory=dict)
    managers: tuple[str, ...] | None = None

    def counts_as_manager(self, reference: str) -> bool | None:
        """Return whether the operator counts this reference as a secrets manager; None where nothing was said."""
        if self.managers is None:
            return None
        return any(reference.startswith(prefix) for prefix in self.managers)


def split_reference(reference: str) -> tuple[str, str]:
    """Return scheme and name of ``env:NAME`` or ``file:/path``; both empty where there is no colon."""
    scheme, colon, name = reference.partition(":")
    return (scheme, name) if colon else ("", "")


def reference_refusals(reference: str, *, team: str, policy: ReferencePolicy) -> list[str]:
    """Return why this team may not use this key reference, in words; empty means it may.

    Shown at the form's field and raised again by the worker, since policy may change between the two. A path is judged
    as written: a link that leads out of the folder is refused by the worker, which alone can see it.
    """
    scheme, name = split_reference(reference)
    if scheme not in SCHEMES:
        return [say("reference.neither")]
    grant = policy.teams.get(team, TeamGrant())
    if scheme == "env":
        return _variable_refusals(name, grant)
    return _path_refusals(name, grant)


def _variable_refusals(name: str, grant: TeamGrant) -> list[str]:
    if not _VARIABLE.fullmatch(name):
        return [say("reference.no-variable")]
    if any(name.startswith(prefix) for prefix in grant.variable_prefixes):
        return []
    if not grant.variable_prefixes:
        return [say("reference.no-variables-yet", setting=_SETTING)]
    return [say("reference.other-variable", these=_either(grant.variable_prefixes), setting=_SETTING)]


def _path_refusals(path: str, grant: TeamGrant) -> list[str]:
    if not path.startswith("/") or "\0" in path or posixpath.normpath(path) != path:
        return [say("reference.no-path")]
    if any(path.startswith(folder.rstrip("/") + "/") for folder in grant.folders):
        return []
    if not grant.folders:
        return [say("reference.no-files-yet", setting=_SETTING)]
    return [say("reference.other-file", these=_either(grant.folders), setting=_SETTING)]


def _either(granted: Sequence[str]) -> str:
    """Return what is granted as alternatives, which keep their code as any message does."""
    first, *others = granted
    said: str = first
    for other in others:
        said = say("reference.or", one=said, other=other)
    return said


register(
    {
        "reference.neither": gettext_noop(
            "Write the reference as env:NAME or file:/path/to/key. It names a key; never paste the key itself here."
        ),
        "reference.no-variable": gettext_noop(
            "After env: comes the name of a variable: letters, digits and underscores, not starting with a digit."
        ),
        "reference.no-variables-yet": gettext_noop(
            "This team may not refer to any variables yet. Ask the operator to allow some in {setting}."
        ),
        "reference.other-variable": gettext_noop(
            "This team may refer to variables that begin with {these} only. Ask the operator to add more in {setting}."
        ),
        "reference.no-path": gettext_noop(
            "After file: comes a plain absolute path, without .. or doubled slashes, such as file:/run/secrets/name."
        ),
        "reference.no-files-yet": gettext_noop(
            "This team may not refer to any files yet. Ask the operator to allow some in {setting}."
        ),
        "reference.other-file": gettext_noop(
            "This team may refer to files below {these} only. Ask the operator to add more in {setting}."
        ),
        "reference.or": gettext_noop("{one} or {other}"),
    }
)
