"""What a key reference may name. Pure text rules: whether the secret is there is for the first run to report."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .spoken import alternatives

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
        return [
            _("Write the reference as env:NAME or file:/path/to/key. It names a key; never paste the key itself here.")
        ]
    grant = policy.teams.get(team, TeamGrant())
    if scheme == "env":
        return _variable_refusals(name, grant)
    return _path_refusals(name, grant)


def _variable_refusals(name: str, grant: TeamGrant) -> list[str]:
    if not _VARIABLE.fullmatch(name):
        return [
            _("After env: comes the name of a variable: letters, digits and underscores, not starting with a digit.")
        ]
    if any(name.startswith(prefix) for prefix in grant.variable_prefixes):
        return []
    if not grant.variable_prefixes:
        return [
            _("This team may not refer to any variables yet. Ask the operator to allow some in {setting}.").format(
                setting=_SETTING
            )
        ]
    return [
        _(
            "This team may refer to variables that begin with {these} only. Ask the operator to add more in {setting}."
        ).format(these=alternatives(grant.variable_prefixes), setting=_SETTING)
    ]


def _path_refusals(path: str, grant: TeamGrant) -> list[str]:
    if not path.startswith("/") or "\0" in path or posixpath.normpath(path) != path:
        return [
            _("After file: comes a plain absolute path, without .. or doubled slashes, such as file:/run/secrets/name.")
        ]
    if any(path.startswith(folder.rstrip("/") + "/") for folder in grant.folders):
        return []
    if not grant.folders:
        return [
            _("This team may not refer to any files yet. Ask the operator to allow some in {setting}.").format(
                setting=_SETTING
            )
        ]
    return [
        _("This team may refer to files below {these} only. Ask the operator to add more in {setting}.").format(
            these=alternatives(grant.folders), setting=_SETTING
        )
    ]
