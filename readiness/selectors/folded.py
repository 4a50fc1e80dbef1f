"""Text without capitals and accents in SQL, as ``rules.searching.fold`` reads it, on either database."""

from functools import reduce
from operator import and_
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from readiness.rules.searching import Query, fold

NAME = "readiness_fold"


class Folded(Func):
    """A text in small letters without accents.

    Of a column, not of an expression with parameters. PostgreSQL takes the accents off by itself, where a text has as
    many bytes as signs there are none; SQLite asks Python, by a function that each connection is given. In a PostgreSQL
    whose locale is C, letters beyond Latin keep their case.
    """

    function = NAME
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return it without any extension: marks that combine are taken out of the parted letters."""
        template = (
            "CASE WHEN octet_length(%(expressions)s) = char_length(%(expressions)s) THEN lower(%(expressions)s) "
            r"ELSE lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g')) END"
        )
        return self.as_sql(compiler, connection, template=template, **context)


def teach(connection: Any, **_more: Any) -> None:
    """Give a new connection to SQLite the function."""
    if isinstance(connection, SQLite) and connection.connection is not None:
        connection.connection.create_function(NAME, 1, lambda text: text and fold(text), deterministic=True)


def holding(rows: QuerySet[Any], asked: Query, *columns: str) -> QuerySet[Any]:
    """Return the rows that hold every word of a query in some of their columns; % and _ are letters like others."""
    texts: list[Any] = [part for column in columns for part in (Value("\n"), Folded(F(column)))][1:]
    whole = Concat(*texts, output_field=TextField()) if len(texts) > 1 else texts[0]
    words = reduce(and_, (Q(folded__contains=word) for word in asked.words), Q())
    found: QuerySet[Any] = rows.alias(folded=whole).filter(words)
    return found
