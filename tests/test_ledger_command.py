"""``manage.py ledger``: what it prints, what it exits with, and that an export stands for itself."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from config.environment import Environment
from config.policies import ledger_key
from readiness import policy
from readiness.models import Event
from readiness.rules import heads
from readiness.rules.chain import Head, canonical
from tests.ledgers import append, lively_ledger, rewritten, stored_rows, update

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Answer:
    """What a command printed, and what it exits with."""

    code: int
    out: str
    err: str


def ledger(*arguments: object) -> Answer:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("ledger", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        code = error.returncode
        err.write(str(error))
    return Answer(code, out.getvalue(), err.getvalue())


def kept_head(folder: Path) -> Path:
    """Take a head now, and keep it."""
    path = folder / f"head-{Event.objects.count()}.json"
    path.write_text(ledger("head").out)
    return path


def test_a_ledger_that_holds_is_said_to_hold() -> None:
    rows = lively_ledger()
    assert ledger("verify") == Answer(
        0, f"Events 1 to {len(rows)} hold: each as it was sealed, in its place, and none is missing.\n", ""
    )


def test_faults_are_printed_with_their_places_and_the_command_fails() -> None:
    rows = lively_ledger()
    update(3, "kind", "x")
    update(5, "kind", "y")
    answer = ledger("verify")
    assert (answer.code, answer.err) == (1, f"The ledger does not hold: 2 faults in {len(rows)} events.")
    assert [line.partition(":")[0] for line in answer.out.splitlines()] == ["Event 3", "Event 5"]


def test_the_first_faults_are_printed_and_the_others_counted() -> None:
    rows = lively_ledger()
    Event.objects.update(kind="x")
    answer = ledger("verify", "--show", 2)
    assert answer.out.splitlines()[2] == f"And {len(rows) - 2} more."
    assert answer.err == f"The ledger does not hold: {len(rows)} faults in {len(rows)} events."


def test_a_ledger_without_events_has_nothing_to_verify_and_no_head() -> None:
    Event.objects.all().delete()
    assert ledger("verify") == Answer(0, "There is no event.\n", "")
    assert ledger("head") == Answer(2, "", "There is no event yet, so there is no head.")
    assert ledger("export") == Answer(0, "", "")


# --- heads ------------------------------------------------------------------------------------------------------------
def test_a_head_says_where_the_ledger_ends() -> None:
    rows = lively_ledger()
    said = json.loads(ledger("head").out)
    assert set(said) == {"id", "hash", "at", "count", "key", "signature"}
    assert (said["id"], said["hash"], said["count"]) == (rows[-1].id, rows[-1].hash, len(rows))


def test_a_head_of_a_ledger_with_gaps_comes_with_a_warning() -> None:
    lively_ledger()
    Event.objects.filter(pk=4).delete()
    answer = ledger("head")
    assert answer.code == 0
    assert "gaps" in answer.err


def test_the_chain_that_grew_on_from_a_head_holds(tmp_path: Path) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    append()
    answer = ledger("verify", "--head", head)
    assert answer.code == 0
    assert f"at event {Event.objects.count() - 1}, holds too." in answer.out


def test_a_cut_tail_fails_with_a_head_and_not_without(tmp_path: Path) -> None:
    rows = lively_ledger()
    head = kept_head(tmp_path)
    Event.objects.filter(id__gt=len(rows) - 2).delete()
    assert ledger("verify").code == 0
    answer = ledger("verify", "--head", head)
    last = len(rows)
    assert (answer.code, answer.out) == (
        1,
        f"Events {last - 1} to {last}: cut off. The head was taken at event {last}.\n",
    )


def test_a_chain_that_was_written_anew_fails_with_a_head_and_not_without(tmp_path: Path) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    append()
    rewritten(4, {"says": "something else"})
    assert ledger("verify").code == 0
    answer = ledger("verify", "--head", head)
    assert answer.code == 1
    assert "written anew" in answer.out


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", 1), ("hash", "a" * 64), ("at", "2026-03-02T09:00:00.000000+00:00"), ("count", 1), ("signature", "x")],
)
def test_a_head_that_was_altered_is_refused_before_anything_is_compared(
    tmp_path: Path, name: str, value: object
) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    head.write_text(json.dumps({**json.loads(head.read_text()), name: value}))
    answer = ledger("verify", "--head", head)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"{head}: This head was altered: its signature does not fit what it says."


def test_a_head_of_another_installation_is_refused(tmp_path: Path, settings: Any) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    settings.SECRET_KEY = "another secret key that signs other heads"
    answer = ledger("verify", "--head", head)
    assert (answer.code, answer.out) == (2, "")
    assert "signed with another key" in answer.err


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "no", '{"id":1}', "[" * 50_000], ids=["empty", "object", "list", "word", "part", "deep"]
)
def test_what_is_no_head_is_refused(tmp_path: Path, text: str) -> None:
    head = tmp_path / "head.json"
    head.write_text(text)
    answer = ledger("verify", "--head", head)
    assert answer.code == 2
    assert "This is not a head of a ledger" in answer.err
    assert ledger("verify", "--head", tmp_path / "none.json").code == 2
    head.write_bytes(b"\xff")
    assert ledger("verify", "--head", head).code == 2


def test_a_head_holds_through_a_change_of_the_secret_key_while_the_old_one_is_a_fallback(
    tmp_path: Path, settings: Any
) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new secret key, long enough for all"
    assert ledger("verify", "--head", head).code == 0
    assert ledger("verify", "--head", kept_head(tmp_path)).code == 0


def test_a_key_of_its_own_signs_alone(tmp_path: Path, settings: Any) -> None:
    lively_ledger()
    head = kept_head(tmp_path)
    settings.LEDGER_KEY = "k" * 40
    assert policy.ledger_keys() == ("k" * 40,)
    assert ledger("verify", "--head", head).code == 2
    assert ledger("verify", "--head", kept_head(tmp_path)).code == 0


def test_neither_head_nor_fingerprint_gives_the_secret_key_away(settings: Any) -> None:
    key = heads.key_from(settings.SECRET_KEY)
    signed = canonical(heads.sign(Head(id=1, hash="a" * 64, at="", count=1), key=key))
    assert settings.SECRET_KEY not in signed
    assert key not in signed


def test_a_short_ledger_key_stops_the_start() -> None:
    assert ledger_key(Environment({})) == ""
    assert ledger_key(Environment({"READINESS_LEDGER_KEY": "k" * 32})) == "k" * 32
    with pytest.raises(ImproperlyConfigured, match="READINESS_LEDGER_KEY is too short"):
        ledger_key(Environment({"READINESS_LEDGER_KEY": "k" * 31}))


# --- exports ----------------------------------------------------------------------------------------------------------
def exported(folder: Path, *arguments: object) -> Path:
    path = folder / "export.jsonl"
    assert ledger("export", "--to", path, *arguments).code == 0
    return path


def test_an_export_has_every_event_as_it_was_sealed(tmp_path: Path) -> None:
    rows = lively_ledger()
    path = exported(tmp_path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(one["id"], one["text"], one["previous_hash"], one["hash"]) for one in lines] == [
        (row.id, row.text, row.previous_hash, row.hash) for row in rows
    ]
    assert ledger("export").out == path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_is_verified_without_the_rows(tmp_path: Path) -> None:
    rows, head = lively_ledger(), kept_head(tmp_path)
    path = exported(tmp_path)
    Event.objects.all().delete()
    assert ledger("verify", "--file", path, "--head", head).code == 0

    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for wrong, words in (
        ([*lines[:3], *lines[4:]], "Event 4: it is missing before event 5."),
        ([*lines[:4], lines[3], *lines[4:]], "Event 4: it stands there twice."),
        ([*lines[:3], lines[4], lines[3], *lines[5:]], "out of order"),
        ([*lines[:3], lines[3].replace("data", "dota"), *lines[4:]], "Event 4: its text was changed"),
        ([*lines[:3], "nonsense\n", *lines[4:]], "Line 4 cannot be read."),
        ([*lines[:3], lines[3].replace(":", ": ", 1), *lines[4:]], "Line 4, event 4, cannot be read."),
        (lines[:-1], f"Event {len(rows)}: cut off."),
    ):
        path.write_text("".join(wrong), encoding="utf-8")
        answer = ledger("verify", "--file", path, "--head", head)
        assert (answer.code, words in answer.out) == (1, True), (words, answer)


def test_a_later_export_is_verified_after_the_event_before_it(tmp_path: Path) -> None:
    rows = lively_ledger()
    head = kept_head(tmp_path)
    append()
    append()
    path = exported(tmp_path, "--after", len(rows))
    assert len(path.read_text().splitlines()) == 2
    assert ledger("verify", "--file", path).code == 1
    alone = ledger("verify", "--file", path, "--after", len(rows))
    assert (alone.code, "for the export before this one to say" in alone.out) == (0, True)
    whole = ledger("verify", "--file", path, "--after", len(rows), "--head", head)
    assert (whole.code, "for the export before this one to say" in whole.out) == (0, False)
    assert ledger("verify", "--file", path, "--after", len(rows) + 1, "--head", head).code == 2
    assert ledger("verify", "--after", 1).code == 2


@pytest.mark.only_on("sqlite")
def test_a_row_that_cannot_be_read_leaves_a_line_that_says_so(tmp_path: Path) -> None:
    lively_ledger()
    update(3, "text", b"\xff")
    assert ledger("verify").out == "Event 3 cannot be read.\n"
    answer = ledger("verify", "--file", exported(tmp_path))
    assert (answer.code, answer.out) == (1, "Line 3, event 3, cannot be read.\n")


def test_ten_lines_of_python_recompute_the_chain(tmp_path: Path) -> None:
    rows = lively_ledger()
    text = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    ledger("export", "--to", tmp_path / "ledger.jsonl")

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run()
    assert (done.returncode, done.stdout) == (0, f"{len(rows)} {rows[-1].hash}\n")
    path = tmp_path / "ledger.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("Zoë", "Zoé", 1), encoding="utf-8")
    assert run().returncode == 1


def test_a_file_that_cannot_be_written_or_read_is_one_clear_line(tmp_path: Path) -> None:
    assert stored_rows()
    for arguments in (("export", "--to", tmp_path / "none" / "x"), ("verify", "--file", tmp_path / "none")):
        answer = ledger(*arguments)
        assert answer.code == 2
        assert "cannot be" in answer.err


def test_a_database_that_cannot_be_read_is_one_clear_line_and_no_finding() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE readiness_event RENAME TO readiness_elsewhere")
    for part in ("verify", "head", "export"):
        with transaction.atomic():
            answer = ledger(part)
            assert (answer.code, answer.out) == (2, "")
            assert answer.err.startswith("The database cannot be read: ")
            transaction.set_rollback(True)


@pytest.mark.parametrize("arguments", [("verify", "--show", "-1"), ("export", "--after", "x"), (), ("other",)])
def test_wrong_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("ledger", *arguments)
