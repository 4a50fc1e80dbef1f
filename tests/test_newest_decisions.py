"""Which decision stands on each environment at an instant, without reading those that it replaced."""

from typing import Any

import pytest

from readiness.models import Decision
from readiness.selectors.decisions import newest_decisions
from tests.deeds import after, decide_on
from tests.factories import NOW, make_environment, make_reviewer

pytestmark = pytest.mark.django_db


def test_the_newest_by_the_instant_stands_and_of_two_at_one_instant_the_later(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, (one, other, none) = make_reviewer(), [make_environment() for _ in range(3)]
    first, _, last = (decide_on(one, ada, now=after(minutes=minutes)) for minutes in (1, 2, 2))
    alone = decide_on(other, ada, now=after(minutes=1))

    read: list[int] = []
    loaded = Decision.from_db.__func__  # type: ignore[attr-defined]

    def counted(kind: type[Decision], *row: Any) -> Decision:
        found: Decision = loaded(kind, *row)
        read.append(found.pk)
        return found

    monkeypatch.setattr(Decision, "from_db", classmethod(counted))
    with django_assert_num_queries(1):
        assert newest_decisions(None, after(minutes=3)) == {one.pk: last, other.pk: alone}
    assert sorted(read) == sorted([last.pk, alone.pk])
    assert newest_decisions([one.pk, none.pk], after(minutes=1)) == {one.pk: first}
    assert newest_decisions([one.pk], NOW) == {}
