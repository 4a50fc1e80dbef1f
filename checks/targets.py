"""What a probe may know of an environment, read from its records."""

from checks.contract import BillingTarget, Target
from readiness.enums.words import Kind
from readiness.models import Environment


def target_of(environment: Environment) -> Target:
    """Return the target; its service, team and billing source must be loaded."""
    return Target(
        service=environment.service.slug,
        environment=environment.name,
        kind=Kind(environment.kind),
        team=environment.service.team.slug,
        service_url=environment.service_url,
        stream_url=environment.stream_url,
        bastion_url=environment.bastion_url,
        key_reference=environment.key_reference,
        spend_cap=environment.spend_cap,
        spend_cap_currency=environment.spend_cap_currency,
        build=environment.build,
        billing=_billing(environment),
    )


def _billing(environment: Environment) -> BillingTarget | None:
    source = environment.billing_source
    if source is None:
        return None
    return BillingTarget(
        url=source.url,
        cap_expression=source.cap_expression,
        currency_expression=source.currency_expression,
        environment_expression=source.environment_expression,
        environment_name=environment.billing_name,
        header_name=source.header_name,
        secret_reference=source.secret_reference,
    )
