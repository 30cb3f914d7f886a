"""Queries of a PostgreSQL server: libpq, through psycopg, in a child process with a deadline.

Only libpq's own connection code honours every setting of a connection string.  It may block without
limit: in a resolver, or on a server that accepts and never answers.  So a child process runs it,
reports each step, and ends at the deadline.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

from ..errors import (
    DeadlineExceeded,
    InvalidParameters,
    LvsdrError,
    NotAsked,
    NotInstalled,
    Rejected,
    SourceUnavailable,
)
from ..postgres.connection import Target
from ..postgres.redaction import join_lines, redact_complaint
from ..values.deadline import Deadline
from .libpq import CONNECTING, connected, settings, text
from .process.fork import fork
from .process.run import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from psycopg.pq.abc import PGconn

    Rows = list[list[Optional[str]]]
    Again = Callable[[Sequence[Rows]], Optional[float]]
    """A function from the answers so far to the delay before the last statement is sent again."""

_WAITING = "waiting for the answer of a server that accepted the connection"
_ASKING = (CONNECTING, _WAITING)
# SQLSTATEs of a server that stops or starts (admin_shutdown, crash_shutdown, cannot_connect_now).
_ENDING = ("57P01", "57P02", "57P03")
_TROUBLES: tuple[type[LvsdrError], ...] = (NotAsked, NotInstalled, Rejected, SourceUnavailable)


def ask(
    target: Target,
    statements: Sequence[str],
    deadline: Deadline,
    again: Again = lambda _answers: None,
) -> list[Rows]:
    """Return the rows of each statement, values as text, from the server that libpq connects to.

    ``again`` runs in the child.

    Raises Rejected if the server answers with an error.  Raises SourceUnavailable or
    DeadlineExceeded if the server does not answer.  Raises NotAsked if no server could be queried,
    and InvalidParameters if this target makes a query impossible.  Raises NotInstalled without
    psycopg.
    """
    seconds = deadline.remaining()
    child = fork("psycopg", lambda: _converse(target, statements, seconds, again), deadline)
    result = finish(child, deadline)
    told = {"doing": "starting", **_last(result.stdout)}
    if result.problem:
        waited = f"{round(seconds, 1):g} s"
        late = DeadlineExceeded if told["doing"].startswith(_ASKING) else NotAsked
        raise late(f"no answer within {waited} while {told['doing']}")
    if "rows" in told:
        rows: list[Rows] = told["rows"]
        return rows
    if InvalidParameters.__name__ in told:
        raise InvalidParameters([told[InvalidParameters.__name__]])
    # libpq prints its warnings about a passfile to stderr.
    of_files = redact_complaint(text(result.stderr), target, {})
    for kind in _TROUBLES:
        if kind.__name__ in told:
            raise kind("; ".join(filter(None, [told[kind.__name__], of_files])))
    raise NotAsked(f"psycopg: {result.complaint()}")


def _last(output: bytes) -> dict[str, Any]:
    """Return the last whole line that the child wrote."""
    lines = output.decode().split("\n")[:-1]
    return dict(json.loads(lines[-1])) if lines else {}


def _tell(what: str, content: object) -> None:
    os.write(1, f"{json.dumps({what: content})}\n".encode())


def _converse(target: Target, statements: Sequence[str], seconds: float, again: Again) -> None:
    """Connect, send the statements, and report the result."""
    _tell("doing", "loading psycopg")
    try:
        given = settings(target)
        connection = connected(target, given, seconds, lambda what: _tell("doing", what))
        _tell("doing", _WAITING)
        for statement in _preamble(seconds):
            _rows(connection, statement)
        answers = _answers(connection, statements, again)
    except LvsdrError as error:
        _tell(type(error).__name__, str(error))
    else:
        _tell("rows", answers)


def _preamble(seconds: float) -> list[str]:
    """Pin search_path to pg_catalog and cap statement_timeout at the remaining time.

    The server must not run functions of another schema, nor continue a query after its reader has
    ended.
    """
    most = f"{seconds * 1000:.0f}"
    return [
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)",
        f"SELECT set_config(name, '{most}', false) FROM pg_settings"
        f" WHERE name = 'statement_timeout' AND NOT setting::int BETWEEN 1 AND {most}",
    ]


def _answers(connection: PGconn, statements: Sequence[str], again: Again) -> list[Rows]:
    answers = [_rows(connection, statement) for statement in statements]
    while (pause := again(answers)) is not None:
        time.sleep(pause)
        answers.append(_rows(connection, statements[-1]))
    return answers


def _rows(connection: PGconn, statement: str) -> Rows:
    from psycopg.pq import DiagnosticField, ExecStatus

    result = connection.exec_(statement.encode())
    if result.status != ExecStatus.TUPLES_OK:
        # libpq's own errors, such as a connection that broke, have no SQLSTATE.
        state = text(result.error_field(DiagnosticField.SQLSTATE) or b"")
        error = Rejected if state and state not in _ENDING else SourceUnavailable
        raise error(join_lines(text(result.error_message)) or "an answer without rows")
    return [
        [_value(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _value(value: bytes | None) -> str | None:
    return None if value is None else text(value)
