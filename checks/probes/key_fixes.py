"""What to do where a key is not read from a secrets manager, or not accepted. Pure: facts in, words out."""

import shlex

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from checks.contract import Facts
from readiness.observers import Fix, Snippet

_WORDS = {
    "not-a-manager": gettext_noop(
        "Put the key into a store that the operator counts as a secrets manager, and write its reference "
        "in the settings. If this store is as good as one, say why in a tick."
    ),
    "managers-unknown": gettext_noop("The operator says which references count as a secrets manager."),
    "no-secret": gettext_noop(
        "Put the key where the reference points, where the worker may read it, or correct the reference."
    ),
    "not-like-a-key": gettext_noop("Put the Bastion key itself there, without quotes, names or line breaks around it."),
    "refused": gettext_noop(
        "Make a key in Bastion's dashboard, put it where the reference points, and restart what reads it: SDKs "
        "read a key once, at their start. Then revoke the old one."
    ),
    "no-balance": gettext_noop("Add credit to the account, and see who is told before it runs out."),
    "rate-limited": gettext_noop(
        "Nothing, if it passes the next time. If it stays so, the key is used close to its limit."
    ),
    "forbidden": gettext_noop("Ask Bastion's support what 403 means for this call: it is not documented."),
    "upstream": gettext_noop("Nothing, if it passes the next time. It says nothing of the key."),
    "redirected": gettext_noop(
        "Write the address that it leads to as the Bastion URL, in the settings and in the service."
    ),
    "not-models": gettext_noop("Write the Bastion URL with its version, as https://host/v1, in the settings."),
    "not-found": gettext_noop("Write the Bastion URL with its version, as https://host/v1, in the settings."),
    "unreachable": gettext_noop(
        "See that Bastion is reached from where the worker runs. The service may reach it all the same."
    ),
    "asked-recently": gettext_noop("Nothing: it is asked again by itself."),
    "not-asked": gettext_noop("Put the key where the reference points, or correct the reference."),
}
_WITH_A_CALL = frozenset({"refused", "no-balance", "forbidden", "not-models", "not-found", "redirected", "upstream"})


def key_fix(message: str, facts: Facts) -> Fix | None:
    """Return what to do about one of the messages of ``key-validity``; None where it is a pass."""
    words = _WORDS.get(message)
    if words is None:
        return None
    snippets: tuple[Snippet, ...] = ()
    if message in _WITH_A_CALL:
        snippets = (_call(str(facts.get("url", ""))),)
    elif message == "managers-unknown":
        snippets = (Snippet(name=_("The operator's environment"), text='READINESS_SECRETS_MANAGERS="vault: aws-sm:"'),)
    return Fix(words=_(words), snippets=snippets)


def _call(url: str) -> Snippet:
    """Return the call that the probe makes. The key goes in by standard input: a command line is read by others."""
    pipe = "printf 'Authorization: Bearer %s' \"$QUBITTRON_API_KEY\""
    call = f"curl -sS -H @- -w '\\n%{{http_code}}\\n' {shlex.quote(url)}"
    return Snippet(name=_("To see it yourself"), text=f"{pipe} |\n  {call}")
