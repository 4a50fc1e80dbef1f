"""What was measured, as lines of a Markdown table."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line. ``met`` is None where there is no goal."""

    what: str
    took: str
    baseline: str = ""
    ratio: float | None = None
    goal: str = ""
    met: bool | None = None
    load: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as one process hands it to another."""
        return asdict(self)


def lines(results: Iterable[Result]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| what | took, median (quartiles; CPU) | baseline | ratio | goal | met | load |"
    yield "|---|---|---|---|---|---|---|"
    for one in results:
        met = {None: "", True: "yes", False: "**no**"}[one.met]
        times = "" if one.ratio is None else f"{one.ratio:.2f}"
        yield f"| {one.what} | {one.took} | {one.baseline} | {times} | {one.goal} | {met} | {one.load} |"
