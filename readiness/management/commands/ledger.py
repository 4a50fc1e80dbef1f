"""Verify the ledger, sign where it ends, or export it."""

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from readiness import policy
from readiness.rules import chain, chain_file, heads
from readiness.selectors import chain as stored

UNUSABLE = 2
"""Exit code where nothing could be judged: a file that cannot be read, a head that proves nothing."""


class Command(BaseCommand):
    """``manage.py ledger verify | head | export``. Exit code 1 says that ``verify`` found something."""

    # What is in the rows does not hang on addresses and settings that something else may have broken.
    requires_system_checks = ()
    help = "Verify the ledger, print a signed head of it to keep elsewhere, or export it as JSON lines."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parts = parser.add_subparsers(dest="part", required=True, metavar="verify|head|export")
        verify = parts.add_parser("verify", help="find whatever was changed, is missing, or stands elsewhere")
        verify.add_argument("--file", type=Path, help="an export to verify, in place of the database")
        verify.add_argument("--after", type=_number, help="with --file: the event before the first in the export")
        verify.add_argument("--head", type=Path, help="a signed head that “ledger head” printed earlier")
        verify.add_argument("--show", type=_number, default=20, help="how many faults to print (20)")
        parts.add_parser("head", help="print where the ledger ends, signed, as JSON")
        export = parts.add_parser("export", help="write every event as it was sealed, one a line")
        export.add_argument("--after", type=_number, default=0, help="only the events after this one")
        export.add_argument("--to", default="-", help="the file to write; - is standard output, and the default")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do the part that was asked for."""
        part = {"verify": self._verify, "head": self._print_head, "export": self._export}[options["part"]]
        try:
            part(options)
        except DatabaseError as error:
            raise CommandError(f"The database cannot be read: {error}", returncode=UNUSABLE) from None

    def _verify(self, options: dict[str, Any]) -> None:
        file, after = options["file"], options["after"] or 0
        if options["after"] is not None and file is None:
            raise CommandError("--after goes with --file: the database is always verified whole.", returncode=UNUSABLE)
        head = _read_head(options["head"]) if options["head"] else None
        if head is not None and head.id < after:
            raise CommandError(
                f"The head was taken at event {head.id}, before what begins after event {after}. It says nothing "
                "of it; take the head that was taken with the export or after it.",
                returncode=UNUSABLE,
            )
        with _rows(file) as rows:
            report = chain.report(rows, after=after, head=head, most_shown=options["show"])
        self._say(report, after=after, head=head)

    def _say(self, report: chain.Report, *, after: int, head: chain.Head | None) -> None:
        for fault in report.faults:
            self.stdout.write(fault.sentence)
        found = len(report.faults) + report.more
        if report.more:
            self.stdout.write(f"And {report.more:,} more.")
        if found:
            events = "1 event" if report.count == 1 else f"{report.count:,} events"
            faults = "1 fault" if found == 1 else f"{found:,} faults"
            raise CommandError(f"The ledger does not hold: {faults} in {events}.", returncode=1)
        if report.count == 0:
            self.stdout.write("There is no event.")
            return
        self.stdout.write(
            f"Events {after + 1:,} to {report.last:,} hold: each as it was sealed, in its place, and none is missing."
        )
        if after and (head is None or head.id > after):
            self.stdout.write(f"Over what event {after + 1:,} was sealed is for the export before this one to say.")
        if head is not None:
            self.stdout.write(f"The head of {head.at}, at event {head.id:,}, holds too.")

    def _print_head(self, _options: dict[str, Any]) -> None:
        head = stored.head(timezone.now())
        if head is None:
            raise CommandError("There is no event yet, so there is no head.", returncode=UNUSABLE)
        if head.count != head.id:
            self.stderr.write("The ledger has gaps. Run “ledger verify” before you rely on this head.")
        self.stdout.write(json.dumps(heads.sign(head, key=policy.ledger_keys()[0]), indent=2))

    def _export(self, options: dict[str, Any]) -> None:
        lines = map(chain_file.line_of, stored.rows(options["after"] or None))
        if options["to"] != "-":
            count = _write(Path(options["to"]), lines)
            self.stderr.write(f"{count:,} events in {options['to']}.")
            return
        try:
            for line in lines:
                self.stdout.write(line, ending="")
        except BrokenPipeError:
            # Whoever reads has enough; Python would complain again when it closes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _read_head(path: Path) -> chain.Head:
    try:
        return heads.read(path.read_text(encoding="utf-8"), keys=policy.ledger_keys())
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}", returncode=UNUSABLE) from None
    except heads.BadHead as error:
        raise CommandError(f"{path}: {error}", returncode=UNUSABLE) from None


@contextmanager
def _rows(file: Path | None) -> Iterator[Iterable[chain.Row | chain.Unreadable]]:
    """Give the events of an export, or of the database where no file is named."""
    if file is None:
        yield stored.rows()
        return
    opened: IO[bytes]
    try:
        opened = file.open("rb")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error}", returncode=UNUSABLE) from None
    with opened:
        yield chain_file.rows_in(opened)


def _write(path: Path, lines: Iterable[str]) -> int:
    """Write the lines to a file that appears under its name only when it is whole; return their number."""
    draft = path.with_name(path.name + ".part")
    count = 0
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line)
                count += 1
        draft.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}", returncode=UNUSABLE) from None
    return count
