"""The words of the product that are stored. Stored words never change meaning: add, do not rename."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """What an environment is for. Two environments of one kind may exist."""

    DEV = "dev", "dev"
    STAGING = "staging", "staging"
    PROD = "prod", "prod"


class Scope(TextChoices):
    """What an entry is answered for: once a service, or once an environment."""

    SERVICE = "service", "Service"
    ENVIRONMENT = "environment", "Environment"


class Outcome(TextChoices):
    """What one piece of evidence says about a clause."""

    PASS = "pass", "Pass"
    FAIL = "fail", "Fail"
    WITHDRAWN = "withdrawn", "Taken back"
    RETIRED = "retired", "Fail retired"


class Judgement(TextChoices):
    """What a probe concludes about a clause. Only a pass ticks and only a fail takes back."""

    PASS = "pass", "Pass"
    FAIL = "fail", "Fail"
    INCONCLUSIVE = "inconclusive", "Inconclusive"


class RunState(TextChoices):
    """Where one attempt by a probe stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    ERRORED = "errored", "Errored"


class RunReason(TextChoices):
    """Why a run was made."""

    SCHEDULED = "scheduled", "on schedule"
    CHANGED = "changed", "after a change of settings"
    ASKED = "asked", "asked for"
    CONFIRMING = "confirming", "to confirm a fail"


class DecisionKind(TextChoices):
    """What a launch review decides."""

    GO = "go", "Go"
    GO_WITH_CONDITIONS = "go-with-conditions", "Go with conditions"
    NO_GO = "no-go", "No-go"


class TokenScope(TextChoices):
    """What a program may do with an API token."""

    WRITE_BUILDS = "builds:write", "Say which build an environment runs"


class Stance(TextChoices):
    """What the person who asks for a waiver holds."""

    ACCEPT_RISK = "accept-risk", "We accept the risk"
    PROBE_IS_WRONG = "probe-is-wrong", "The probe is wrong"
