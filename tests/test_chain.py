"""What was done to a ledger, and what is found: nothing that is changed, missing or moved stays unseen."""

import tracemalloc
from dataclasses import replace
from random import Random

import pytest
from django.db import DatabaseError, transaction

from readiness.models import Event
from readiness.rules.chain import Head, Judge, Report, Row, Unreadable, canonical, faults_of_one, report, seal
from readiness.selectors import chain as stored
from tests import ledgers
from tests.factories import NOW, make_environment
from tests.ledgers import append, lively_ledger, rewritten, stored_rows, update

FLIPS_IN_MEMORY = 10_000
FLIPS_IN_SQL = 400


def said(rows: list[Row | Unreadable] | list[Row], head: Head | None = None, after: int = 0) -> list[str]:
    """What a judge says of these rows."""
    return [fault.sentence for fault in Judge(after=after, head=head).faults(rows)]


def chain_of(length: int) -> list[Row]:
    """A well sealed chain that no database holds."""
    rows, before = [], "0" * 64
    for number in range(1, length + 1):
        columns = {"at": f"2026-03-02T09:00:{number:02}.000000+00:00", "kind": "test.said", "by": number}
        columns |= {"service": None, "environment": 7, "item": None}
        text = canonical({"id": number, "by_name": "Zoë", "data": {"said": number}, **columns})
        rows.append(Row(id=number, text=text, previous_hash=before, hash=seal(before, text), columns=columns))
        before = rows[-1].hash
    return rows


# --- one byte ---------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_any_one_byte_that_is_changed_in_any_column_is_found() -> None:
    lively_ledger()
    values, random = ledgers.stored_values(), Random(20260302)
    rows = [ledgers.as_read(one) for one in values]
    assert said(rows) == []
    touched = dict.fromkeys(ledgers.COLUMNS, 0)
    for _ in range(FLIPS_IN_MEMORY):
        place, column, value = ledgers.with_a_byte_changed(values, random)
        changed = list(values[place])
        changed[ledgers.COLUMNS.index(column)] = value
        tampered = [*rows[:place], ledgers.as_read(tuple(changed)), *rows[place + 1 :]]
        tampered.sort(key=lambda row: row.id or 0)
        assert next(Judge().faults(tampered), None) is not None, (values[place], column, value)
        touched[column] += 1
    assert min(touched.values()) > 300


@pytest.mark.django_db
def test_any_one_byte_that_is_changed_in_the_database_is_found() -> None:
    lively_ledger()
    values, random = ledgers.stored_values(), Random(7)
    done = dict.fromkeys(ledgers.COLUMNS, 0)
    while sum(done.values()) < FLIPS_IN_SQL:
        place, column, value = ledgers.with_a_byte_changed(values, random)
        with transaction.atomic():
            try:
                with transaction.atomic():
                    update(values[place][0], column, value)
            except (DatabaseError, ValueError):
                continue  # The database itself refuses it: a number that is taken, bytes that are no text.
            found = report(stored.rows())
            assert not found.holds, (values[place], column, value)
            done[column] += 1
            transaction.set_rollback(True)
    assert min(done.values()) > 10, done
    assert report(stored.rows()).holds


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "stored_at",
    ["2026-03-02T09:00:00", "2026-03-02 09:00:00.000000", "2026-03-02 09:00", "2026-03-02 09:00:00+00:00", "no"],
)
def test_an_instant_that_reads_the_same_and_is_stored_otherwise_is_found(stored_at: str) -> None:
    event = append()
    update(event.pk, "stored_at", stored_at)
    (fault,) = report(stored.rows()).faults
    assert fault.sentence == (
        f"Event {event.pk}: the column at says “{stored_at}”, and the sealed text “2026-03-02T09:00:00.000000+00:00”."
    )


@pytest.mark.django_db
@pytest.mark.only_on("sqlite")
def test_a_number_that_is_none_is_found() -> None:
    append()
    last = append()
    update(last.pk, "id", "no number")
    found = [fault.sentence for fault in report(stored.rows()).faults]
    assert found == ["The row with the number “no number” cannot be read."]


@pytest.mark.django_db
def test_an_instant_that_is_a_microsecond_later_is_found() -> None:
    event = append()
    Event.objects.filter(pk=event.pk).update(at=NOW.replace(microsecond=1))
    (fault,) = report(stored.rows()).faults
    assert fault.sentence == (
        f"Event {event.pk}: the column at says “2026-03-02T09:00:00.000001+00:00”, "
        "and the sealed text “2026-03-02T09:00:00.000000+00:00”."
    )


# --- what is said of what was done ------------------------------------------------------------------------------------
def test_a_whole_chain_has_no_fault() -> None:
    assert report(chain_of(50)) == Report(count=50, last=50, faults=(), more=0)
    assert report([]) == Report(count=0, last=0, faults=(), more=0)


def test_a_changed_text_is_named_alone() -> None:
    rows = chain_of(9)
    rows[3] = replace(rows[3], text=rows[3].text.replace("Zoë", "Zoé"))
    assert said(rows) == ["Event 4: its text was changed; it does not give the hash that the next event carries."]


def test_a_changed_hash_is_named_alone() -> None:
    rows = chain_of(9)
    rows[3] = replace(rows[3], hash="f" + rows[3].hash[1:])
    rows[3] = replace(rows[3], hash=rows[3].hash.replace("0", "1"))
    assert said(rows) == ["Event 4: its hash was changed; the next event carries the one that its text gives."]


def test_a_changed_previous_hash_is_named_alone() -> None:
    rows = chain_of(9)
    rows[3] = replace(rows[3], previous_hash="e" * 64)
    assert said(rows) == ["Event 4: its previous hash was changed; it is not that of the event before."]


def test_of_the_last_event_nobody_can_say_whether_text_or_hash_was_changed() -> None:
    rows = chain_of(3)
    rows[2] = replace(rows[2], hash="f" * 64)
    assert said(rows) == ["Event 3: its text and its hash do not belong together: one was changed."]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("kind", "test.sung", "the column kind says “test.sung”, and the sealed text “test.said”."),
        ("by", 5, "the column actor says 5, and the sealed text 4."),
        ("by", None, "the column actor says nothing, and the sealed text 4."),
        ("by", "4", "the column actor says “4”, and the sealed text 4."),
        ("by", True, "the column actor says True, and the sealed text 4."),
        ("service", 1, "the column service says 1, and the sealed text nothing."),
        ("environment", 8, "the column environment says 8, and the sealed text 7."),
        ("item", 1, "the column item says 1, and the sealed text nothing."),
    ],
)
def test_a_column_that_says_otherwise_is_named_with_both(name: str, value: object, words: str) -> None:
    rows = chain_of(9)
    rows[3] = replace(rows[3], columns={**rows[3].columns, name: value})
    assert said(rows) == [f"Event 4: {words}"]
    assert [fault.sentence for fault in faults_of_one(rows[3])] == [f"Event 4: {words}"]


def test_true_is_not_one() -> None:
    rows = chain_of(3)
    rows[0] = replace(rows[0], columns={**rows[0].columns, "by": True})
    assert said(rows) == ["Event 1: the column actor says True, and the sealed text 1."]


def test_a_text_that_says_the_same_in_another_way_is_a_fault_though_it_is_sealed() -> None:
    (row,) = chain_of(1)
    for text in (row.text.replace(":", ": ", 1), row.text.replace("ë", "\\u00eb"), row.text[:-1] + ',"id":1}'):
        other = replace(row, text=text, hash=seal(row.previous_hash, text))
        assert said([other]) == ["Event 1: its text is not written as the ledger writes it."]


def test_missing_events_are_counted_out() -> None:
    rows = chain_of(9)
    assert said([*rows[:3], *rows[4:]]) == ["Event 4: it is missing before event 5."]
    assert said([*rows[:2], *rows[5:]]) == ["Events 3 to 5: they are missing before event 6."]
    assert said(rows[1:]) == ["Event 1: it is missing before event 2."]


def test_two_events_whose_numbers_were_swapped_are_both_named() -> None:
    rows = chain_of(9)
    rows[3], rows[6] = replace(rows[6], id=4), replace(rows[3], id=7)
    assert said(rows) == [
        "Event 4: under this number stands the sealed text of event 7.",
        "Event 7: under this number stands the sealed text of event 4.",
    ]


def test_an_event_that_was_given_another_number_is_named_and_missed() -> None:
    rows = chain_of(9)
    moved = replace(rows.pop(3), id=400)
    assert said([*rows, moved]) == [
        "Event 4: it is missing before event 5.",
        "Event 400: under this number stands the sealed text of event 4.",
    ]


def test_lines_out_of_order_are_named() -> None:
    rows = chain_of(6)
    assert said([rows[0], rows[2], rows[1], *rows[3:]]) == [
        "Event 2: it is missing before event 3.",
        "Event 2: it comes after event 3, out of order or for a second time.",
    ]


def test_a_line_out_of_order_is_judged_by_itself_too() -> None:
    rows = chain_of(6)
    twice = said([*rows[:3], replace(rows[2], text=rows[2].text.replace("ë", "e")), *rows[3:]])
    assert twice == [
        "Event 3: it stands there twice.",
        "Event 3: its text and its hash do not belong together: one was changed.",
    ]
    other = replace(rows[2], columns={**rows[2].columns, "kind": "x"})
    assert said([*rows[:3], other, *rows[3:]]) == [
        "Event 3: it stands there twice.",
        "Event 3: the column kind says “x”, and the sealed text “test.said”.",
    ]


def test_a_line_that_stands_there_twice_is_named() -> None:
    rows = chain_of(6)
    assert said([*rows[:3], rows[2], *rows[3:]]) == ["Event 3: it stands there twice."]
    again = replace(rows[2], id=7)
    assert said([*rows, again]) == ["Event 7: under this number stands the sealed text of event 3."]


def test_a_fork_and_a_cut_are_told_apart() -> None:
    rows = chain_of(6)
    for over, words in ((rows[3].previous_hash, "is sealed over the same event as event 4. The chain forks."),
                        ("d" * 64, "is not sealed over event 4. The chain is cut there.")):  # fmt: skip
        other = replace(rows[4], previous_hash=over, hash=seal(over, rows[4].text))
        assert said([*rows[:4], other]) == [f"Event 5: it {words}"]
    first = replace(rows[0], previous_hash="d" * 64, hash=seal("d" * 64, rows[0].text))
    assert said([first]) == ["Event 1: it is not sealed over zeros, as the first one is. The chain begins elsewhere."]


def test_what_is_appended_without_the_hash_of_the_last_event_is_found() -> None:
    rows, more = chain_of(5), chain_of(6)[5]
    for change in ({"previous_hash": "0" * 64}, {"hash": "a" * 64}, {"text": more.text + " "}, {"text": "{}"}):
        assert said([*rows, replace(more, **change)]), change  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "no", '{"id": 4}', '{"id":4}', '{"id":true}', "[" * 100_000, "1" * 5000]
)
def test_a_text_that_the_ledger_would_not_have_written_is_a_fault_though_it_is_sealed(text: str) -> None:
    rows = chain_of(3)
    row = replace(rows[2], id=4, text=text, previous_hash=rows[2].hash, hash=seal(rows[2].hash, text))
    assert said([*rows, row])


def test_what_cannot_be_read_is_named_and_the_rest_judged() -> None:
    rows: list[Row | Unreadable] = [*chain_of(6)]
    rows[2] = Unreadable(place="Event 3", id=3)
    assert said(rows) == ["Event 3 cannot be read."]
    rows[4] = Unreadable(place="Line 5")
    assert said(rows) == ["Event 3 cannot be read.", "Line 5 cannot be read."]


def test_every_fault_is_counted_and_only_the_first_are_kept() -> None:
    rows = [replace(row, columns={**row.columns, "kind": "x"}) for row in chain_of(50)]
    found = report(rows, most_shown=3)
    assert ([fault.id for fault in found.faults], found.more, found.count) == ([1, 2, 3], 47, 50)


# --- heads ------------------------------------------------------------------------------------------------------------
def head_of(rows: list[Row]) -> Head:
    return Head(id=rows[-1].id, hash=rows[-1].hash, at="2026-03-02T09:00:00.000000+00:00", count=len(rows))


def test_a_head_holds_for_the_chain_that_grew_on() -> None:
    rows = chain_of(9)
    for length in range(1, 10):
        assert said(rows, head_of(rows[:length])) == []


def test_a_cut_tail_is_found_with_a_head_and_not_without() -> None:
    rows = chain_of(9)
    head = head_of(rows)
    assert said(rows[:8]) == said(rows[:5]) == said([]) == []
    assert said(rows[:8], head) == ["Event 9: cut off. The head was taken at event 9."]
    assert said(rows[:5], head) == ["Events 6 to 9: cut off. The head was taken at event 9."]
    assert said([], head) == ["Events 1 to 9: cut off. The head was taken at event 9."]


@pytest.mark.django_db
def test_a_chain_that_was_written_anew_is_found_with_a_head_and_not_without() -> None:
    make_environment()
    append(amount=1)
    append(amount=2)
    taken = stored.head(NOW)
    assert taken is not None
    append(amount=3)
    assert report(stored.rows(), head=taken).holds

    rewritten(taken.id - 1, {"amount": 100})
    assert report(stored.rows()).holds, "Whoever can write rows can seal them anew."
    (fault,) = report(stored.rows(), head=taken).faults
    assert fault.sentence == (
        f"Event {taken.id}: its hash is not the one of the head. This event or one before it was written anew, "
        "or the head was taken of another ledger."
    )


def test_a_head_that_counted_other_events_is_told_of() -> None:
    rows = chain_of(9)
    head = replace(head_of(rows[:5]), count=1004)
    assert said(rows, head) == ["Event 5: there are 5 events up to this one, and 1,004 when the head was taken."]


def test_a_head_at_an_event_that_is_gone_is_told_of() -> None:
    rows = chain_of(9)
    assert said([*rows[:4], *rows[5:]], head_of(rows[:5])) == [
        "Event 5: it is missing before event 6.",
        "Event 5: the head was taken at it, and it is not there.",
    ]


def test_the_end_of_a_chain_is_judged_with_the_head_before_it() -> None:
    rows = chain_of(9)
    assert said(rows[5:], head_of(rows[:5]), after=5) == []
    assert said(rows[5:], head_of(rows[:7]), after=5) == []
    assert said(rows[5:], after=5) == []
    assert said(rows[6:], after=5) == ["Event 6: it is missing before event 7."]
    other = replace(head_of(rows[:5]), hash="b" * 64)
    assert said(rows[5:], other, after=5) == ["Event 6: it is not sealed over event 5. The chain is cut there."]


# --- size -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_long_ledger_is_judged_in_memory_that_does_not_grow_with_it() -> None:
    number, padding = 20_000, "x" * 1000
    ledgers.write_many(number, padding=padding)
    events = Event.objects.count()
    tracemalloc.start()
    found = report(stored.rows())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == Report(count=events, last=events, faults=(), more=0)
    assert peak < 6_000_000 < number * len(padding) / 3


@pytest.mark.django_db
def test_pages_are_read_without_gap_or_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "PAGE", 3)
    for _ in range(10):
        append()
    rows = stored_rows()
    assert [row.id for row in rows] == list(range(1, Event.objects.count() + 1))
    assert [row.id for row in stored.rows(after=rows[-2].id)] == [rows[-1].id]


@pytest.mark.django_db
def test_a_row_in_memory_is_the_row_as_stored() -> None:
    lively_ledger()
    assert [stored.row_of(event) for event in Event.objects.order_by("id")] == stored_rows()
