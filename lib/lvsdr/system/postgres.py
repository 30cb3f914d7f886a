"""Ask a PostgreSQL server: libpq, through psycopg, in a process that can be given up.

libpq's own way to connect is the one that honours everything that a connection string can say, and
it waits as long as it likes: for a resolver, for a server that accepts and says nothing.  So it is
done by a child, which tells what it is doing, and ends with the deadline.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

from ..deadline import Deadline
from ..errors import (
    DeadlineExceeded,
    InvalidParameters,
    LvsdrError,
    NotAsked,
    NotInstalled,
    Rejected,
    SourceUnavailable,
)
from ..postgres.complaints import failed, one_line
from ..postgres.connection import Target
from .connecting import CONNECTING, connected, settings, text
from .fork import fork
from .run import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from psycopg.pq.abc import PGconn

    Rows = list[list[Optional[str]]]
    Again = Callable[[Sequence[Rows]], Optional[float]]
    """By the answers so far: after how many seconds the last statement is to be sent again."""

_WAITING = "waiting for the answer of a server that accepted the connection"
_ASKING = (CONNECTING, _WAITING)
# SQLSTATEs of a server that ends or begins (admin_shutdown, crash_shutdown, cannot_connect_now).
_ENDING = ("57P01", "57P02", "57P03")
_TROUBLES: tuple[type[LvsdrError], ...] = (NotAsked, NotInstalled, Rejected, SourceUnavailable)


def ask(
    target: Target,
    statements: Sequence[str],
    deadline: Deadline,
    again: Again = lambda _answers: None,
) -> list[Rows]:
    """The rows of each statement, values as text, from the server that libpq connects to.

    ``again`` is asked in the child.

    Raises Rejected if it answers with an error; SourceUnavailable if it does not answer, or
    DeadlineExceeded; NotAsked if nobody could be asked; InvalidParameters if nobody can be, with
    this target; NotInstalled without psycopg.
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
    # What libpq has to say of a passfile it prints.
    of_files = failed(text(result.stderr), target, {})
    for kind in _TROUBLES:
        if kind.__name__ in told:
            raise kind("; ".join(filter(None, [told[kind.__name__], of_files])))
    raise NotAsked(f"psycopg: {result.complaint()}")


def _last(output: bytes) -> dict[str, Any]:
    """The last whole line that the child wrote."""
    lines = output.decode().split("\n")[:-1]
    return dict(json.loads(lines[-1])) if lines else {}


def _tell(what: str, content: object) -> None:
    os.write(1, f"{json.dumps({what: content})}\n".encode())


def _converse(target: Target, statements: Sequence[str], seconds: float, again: Again) -> None:
    """Connect, ask, and tell what came of it."""
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
    """Nobody else's functions, and no query that goes on when nobody waits for it any more."""
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
        raise error(one_line(text(result.error_message)) or "an answer without rows")
    return [
        [_value(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _value(value: bytes | None) -> str | None:
    return None if value is None else text(value)
