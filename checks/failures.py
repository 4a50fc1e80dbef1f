"""What keeps a probe from its target, in sentences that are kept with their codes and said in both languages."""

from typing import Any

from django.utils.translation import gettext_noop

from readiness.rules.messages import Said, kept, register, say

__all__ = ["as_fact", "from_fact", "say", "system_reason"]


def as_fact(cause: str, sentence: str) -> dict[str, Any]:
    """Return a failure as a fact: what kind it is, its English sentence, and what that is said from."""
    if not isinstance(sentence, Said):
        return {"code": cause, "sentence": sentence}
    said = kept(sentence)
    return {"code": cause, "sentence": said["sentence"], "message": said["code"], "params": said["params"]}


def from_fact(fact: dict[str, Any]) -> Any:
    """Return the sentence of such a fact as a parameter of a finding."""
    if "message" not in fact:
        return fact["sentence"]
    return {"code": fact["message"], "params": fact["params"], "sentence": fact["sentence"]}


SYSTEM_REASONS = (
    gettext_noop("Connection refused"),
    gettext_noop("Connection reset by peer"),
    gettext_noop("Connection timed out"),
    gettext_noop("Network is unreachable"),
    gettext_noop("No route to host"),
    gettext_noop("certificate has expired"),
    gettext_noop("certificate is not yet valid"),
    gettext_noop("certificate revoked"),
    gettext_noop("self-signed certificate"),
    gettext_noop("self-signed certificate in certificate chain"),
    gettext_noop("unable to get issuer certificate"),
    gettext_noop("unable to get local issuer certificate"),
    gettext_noop("unable to verify the first certificate"),
)
"""What systems and TLS libraries say most often, in their own words."""


def system_reason(said: str) -> str:
    """Return what a system says as a parameter: in the reader's language where it is known, else quoted in French."""
    return said if said in SYSTEM_REASONS else say("request.quoted", said=said)


register(
    {
        "request.quoted": gettext_noop("{said}"),
        "request.other-name": gettext_noop("it is not valid for {name}"),
        "request.not-json": gettext_noop("The answer is not JSON."),
        "request.not-a-key-host": gettext_noop("{peer} is not among the hosts that may be sent a key."),
        "request.too-many-redirects": gettext_noop("{peer} redirects once more than may be followed."),
        "request.not-http": gettext_noop("The server did not answer in HTTP/1.1, or broke the answer off."),
        "request.bad-header": gettext_noop("A probe may not set a header named {name}."),
        "request.bad-header-value": gettext_noop("The value of the header {name} is not one line of printable ASCII."),
        "request.other-encoding": gettext_noop("The body is encoded as {encoding}, which was not asked for."),
        "request.wrong-encoding": gettext_noop("The body says it is {encoding} and is not."),
        "request.ended-early": gettext_noop("The compressed body ended early."),
        "request.body-too-large": gettext_noop("The response body went past {limit} bytes and was cut."),
        "request.headers-too-large": gettext_noop("The response headers went past {limit} bytes and was cut."),
        "request.bad-url": gettext_noop("This is not a URL that can be called."),
        "request.bad-scheme": gettext_noop("Only http and https URLs are called."),
        "request.user-in-url": gettext_noop("A URL with a user name or password in it is not called."),
        "request.bad-host": gettext_noop("The host of this URL is missing or is not a host name or address."),
        "request.bad-port": gettext_noop("The port of this URL is not between 1 and 65535."),
        "request.redirected-nowhere": gettext_noop("{peer} redirects to something that is not a URL."),
        "request.redirected-down": gettext_noop("{peer} redirects from https to http, which is not followed."),
        "request.deadline": gettext_noop("The answer was not complete within {seconds} s."),
        "request.silent": gettext_noop("{peer} sent nothing for {seconds} s."),
        "request.stuck": gettext_noop("{peer} took nothing for {seconds} s."),
        "request.broken-off": gettext_noop("{peer} broke the connection off."),
        "request.slow-tls": gettext_noop("{peer} did not finish the TLS handshake within {seconds} s."),
        "request.certificate": gettext_noop("The certificate of {peer} was not accepted: {reason}."),
        "request.bad-tls": gettext_noop("{peer} did not speak TLS as expected: {reason}."),
        "request.broken-tls": gettext_noop("{peer} broke the TLS handshake off."),
        "request.no-address": gettext_noop("The name {host} has no address."),
        "request.refused-address": gettext_noop("{host} may not be called: {reason}."),
        "request.plain-http": gettext_noop("A key is sent to {host} over https only: no allowed network holds it."),
        "request.slow-name": gettext_noop("The name {host} was not resolved within {seconds} s."),
        "request.no-such-name": gettext_noop("The name {host} cannot be resolved."),
        "request.no-connection": gettext_noop("{peer} accepted no connection: {reason}."),
        "request.in-time": gettext_noop("within {seconds} s"),
        "secret.no-variable": gettext_noop("The worker has no variable named {name}. Set it where the workers run."),
        "secret.link-out": gettext_noop("The file {name} is a link that leads out of the allowed folders."),
        "secret.no-file": gettext_noop("The worker has no file {name}. Mount it where the workers run."),
        "secret.unreadable": gettext_noop("The worker may not read {name}, or it is not a text file."),
        "secret.empty": gettext_noop("What {reference} names is empty."),
        "secret.not-one-line": gettext_noop(
            "What {reference} names is not one line of printable characters, as a key is."
        ),
        "engine.not-configured": "{missing}",
        "engine.unproven": gettext_noop(
            "The probe failed to tell its own known-good from its known-bad targets, so it concludes nothing here."
        ),
    },
    terms=(
        gettext_noop("no code"),
        gettext_noop("nowhere"),
        gettext_noop("another path"),
        gettext_noop("no content type"),
        gettext_noop("a longer text"),
        gettext_noop("gzip and identity"),
        *SYSTEM_REASONS,
    ),
)
