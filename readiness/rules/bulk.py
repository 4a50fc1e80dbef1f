"""What may be done to several items at once."""

from django.utils.translation import gettext as _

from readiness.enums.standing import Status


def tick_refusals(status: Status, *, lacks_link: bool) -> list[str]:
    """Return why an item is not ticked together with others; ``lacks_link``: it wants a link and none was given.

    By itself it may still be: there the person sees what a probe says of it.
    """
    if status is Status.FAILING:
        return [_("A probe sees it fail. Answer that at the item.")]
    if status is Status.VERIFIED:
        return [_("Probes see all of it already, so there is nothing to vouch for.")]
    if status is Status.NOT_APPLICABLE:
        return [_("It is left out here.")]
    if lacks_link:
        return [_("A tick of it counts only with a link.")]
    return []
