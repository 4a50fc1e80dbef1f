"""Words of the cells of the heat map. A page holds hundreds of them, so each is one filter and no block."""

from django import template
from django.utils.translation import gettext as _

from readiness.selectors.heat_map import Cell

register = template.Library()


@register.filter
def settled_words(cell: Cell) -> str:
    """Say on how many sheets a cell is settled and fails: "Settled in all 4", "2 of 4 settled, 1 failing"."""
    if not cell.missing:
        return _("Settled in all {n}").format(n=cell.total)
    settled = _("{settled} of {total} settled").format(settled=cell.settled, total=cell.total)
    return f"{settled}, {failing_words(cell)}" if cell.failing else settled


@register.filter
def failing_words(cell: Cell) -> str:
    """Say on how many sheets a cell fails: "1 failing"."""
    return _("{n} failing").format(n=cell.failing)
