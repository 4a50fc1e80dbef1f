"""The words of the product that are stored. Stored words never change meaning: add, do not rename."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy, pgettext_lazy


class Kind(TextChoices):
    """What an environment is for. Two environments of one kind may exist."""

    DEV = "dev", "dev"
    STAGING = "staging", "staging"
    PROD = "prod", "prod"


class Scope(TextChoices):
    """What an entry is answered for: once a service, or once an environment."""

    SERVICE = "service", pgettext_lazy("scope", "Service")
    ENVIRONMENT = "environment", pgettext_lazy("scope", "Environment")


class Outcome(TextChoices):
    """What one piece of evidence says about a clause."""

    PASS = "pass", pgettext_lazy("outcome", "Pass")
    FAIL = "fail", pgettext_lazy("outcome", "Fail")
    WITHDRAWN = "withdrawn", pgettext_lazy("outcome", "Taken back")
    RETIRED = "retired", pgettext_lazy("outcome", "Fail retired")


class Judgement(TextChoices):
    """What a probe concludes about a clause. Only a pass ticks and only a fail takes back."""

    PASS = "pass", pgettext_lazy("judgement", "Pass")
    FAIL = "fail", pgettext_lazy("judgement", "Fail")
    INCONCLUSIVE = "inconclusive", pgettext_lazy("judgement", "Inconclusive")


class RunState(TextChoices):
    """Where one attempt by a probe stands."""

    QUEUED = "queued", pgettext_lazy("run", "Queued")
    RUNNING = "running", pgettext_lazy("run", "Running")
    DONE = "done", pgettext_lazy("run", "Done")
    ERRORED = "errored", pgettext_lazy("run", "Errored")


class RunReason(TextChoices):
    """Why a run was made."""

    SCHEDULED = "scheduled", pgettext_lazy("why a run was made", "on schedule")
    CHANGED = "changed", pgettext_lazy("why a run was made", "after a change of settings")
    ASKED = "asked", pgettext_lazy("why a run was made", "asked for")
    CONFIRMING = "confirming", pgettext_lazy("why a run was made", "to confirm a fail")


class DecisionKind(TextChoices):
    """What a launch review decides."""

    GO = "go", pgettext_lazy("decision", "Go")
    GO_WITH_CONDITIONS = "go-with-conditions", pgettext_lazy("decision", "Go with conditions")
    NO_GO = "no-go", pgettext_lazy("decision", "No-go")


class TokenScope(TextChoices):
    """What a program may do with an API token."""

    WRITE_BUILDS = "builds:write", gettext_lazy("Say which build an environment runs")


class Stance(TextChoices):
    """What the person who asks for a waiver holds."""

    ACCEPT_RISK = "accept-risk", gettext_lazy("We accept the risk")
    PROBE_IS_WRONG = "probe-is-wrong", gettext_lazy("The probe is wrong")
