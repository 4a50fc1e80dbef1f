"""Many rows at once: copied as PostgreSQL reads them, with keys and indexes made anew once they are in."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Model

AT_ONCE = 5000


def copy(model: type[Model], rows: Iterable[Model]) -> int:
    """Write rows with the keys that they carry; return how many. What the model's ``save`` would do is not done."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    count, stream = 0, iter(rows)
    with connection.cursor() as cursor:
        while some := list(islice(stream, AT_ONCE)):
            with cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as into:
                for row in some:
                    into.write_row(
                        [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
                    )
            count += len(some)
    return count


def statement(sql: str, given: Sequence[object] = ()) -> int:
    """Run one statement; return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.rowcount


@contextmanager
def rebuilt(*models: type[Model]) -> Iterator[None]:
    """Take foreign keys and plain indexes off some tables, and put them back at the end, when every row is checked.

    Those of open runs alone stay: they cost nothing, and PostgreSQL would write their condition another way.
    """
    tables = [model._meta.db_table for model in models]
    keys = _rows(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        tables,
    )
    indexes = _rows(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) "
        "AND indexdef NOT LIKE 'CREATE UNIQUE%%' AND indexdef NOT LIKE '%% ANY %%'",
        tables,
    )
    for table, name, _ in keys:
        statement(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        statement(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        statement(definition)
    for table, name, definition in keys:
        statement(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')


def finished(models: Sequence[type[Model]]) -> None:
    """Let keys go on from where the rows end, and tell the planner what there is."""
    for sql in connection.ops.sequence_reset_sql(no_style(), list(models)):
        statement(sql)
    statement("VACUUM (ANALYZE)")


def _rows(sql: str, tables: list[str]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [tables])
        return list(cursor.fetchall())
