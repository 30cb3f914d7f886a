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
from .libpq import CONNECTING, connect, decode_text, parse_settings
from .process.fork import fork
from .process.run import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from psycopg.pq.abc import PGconn

    Rows = list[list[Optional[str]]]
    DelayChoice = Callable[[Sequence[Rows]], Optional[float]]
    """A function from the answers so far to the delay before the last statement is sent again."""

_WAITING = "waiting for the answer of a server that accepted the connection"
_SERVER_STEPS = (CONNECTING, _WAITING)
# SQLSTATEs of a server that stops or starts (admin_shutdown, crash_shutdown, cannot_connect_now).
_RESTART_STATES = ("57P01", "57P02", "57P03")
_QUERY_ERRORS: tuple[type[LvsdrError], ...] = (NotAsked, NotInstalled, Rejected, SourceUnavailable)


def query_rows(
    target: Target,
    statements: Sequence[str],
    deadline: Deadline,
    choose_delay: DelayChoice = lambda _answers: None,
) -> list[Rows]:
    """Return the rows of each statement, values as text, from the server that libpq connects to.

    ``choose_delay`` runs in the child.

    Raises Rejected if the server answers with an error.  Raises SourceUnavailable or
    DeadlineExceeded if the server does not answer.  Raises NotAsked if no server could be queried,
    and InvalidParameters if this target makes a query impossible.  Raises NotInstalled without
    psycopg.
    """
    seconds = deadline.remaining()
    child = fork(
        "psycopg", lambda: _query_in_child(target, statements, seconds, choose_delay), deadline
    )
    result = finish(child, deadline)
    report = {"doing": "starting", **_parse_last_report(result.stdout)}
    if result.problem:
        duration = f"{round(seconds, 1):g} s"
        error_type = DeadlineExceeded if report["doing"].startswith(_SERVER_STEPS) else NotAsked
        raise error_type(f"no answer within {duration} while {report['doing']}")
    if "rows" in report:
        rows: list[Rows] = report["rows"]
        return rows
    if InvalidParameters.__name__ in report:
        raise InvalidParameters([report[InvalidParameters.__name__]])
    # libpq prints its warnings about a passfile to stderr.
    passfile_warnings = redact_complaint(decode_text(result.stderr), target, {})
    for kind in _QUERY_ERRORS:
        if kind.__name__ in report:
            raise kind("; ".join(filter(None, [report[kind.__name__], passfile_warnings])))
    raise NotAsked(f"psycopg: {result.describe_failure()}")


def _parse_last_report(output: bytes) -> dict[str, Any]:
    """Return the last whole line that the child wrote."""
    lines = output.decode().split("\n")[:-1]
    return dict(json.loads(lines[-1])) if lines else {}


def _write_report(key: str, content: object) -> None:
    os.write(1, f"{json.dumps({key: content})}\n".encode())


def _query_in_child(
    target: Target, statements: Sequence[str], seconds: float, choose_delay: DelayChoice
) -> None:
    """Connect, send the statements, and report the result."""
    _write_report("doing", "loading psycopg")
    try:
        settings = parse_settings(target)
        connection = connect(target, settings, seconds, lambda step: _write_report("doing", step))
        _write_report("doing", _WAITING)
        for statement in _build_preamble(seconds):
            _fetch_rows(connection, statement)
        answers = _collect_answers(connection, statements, choose_delay)
    except LvsdrError as error:
        _write_report(type(error).__name__, str(error))
    else:
        _write_report("rows", answers)


def _build_preamble(seconds: float) -> list[str]:
    """Pin search_path to pg_catalog and cap statement_timeout at the remaining time.

    The server must not run functions of another schema, nor continue a query after its reader has
    ended.
    """
    limit = f"{seconds * 1000:.0f}"
    return [
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)",
        f"SELECT set_config(name, '{limit}', false) FROM pg_settings"
        f" WHERE name = 'statement_timeout' AND NOT setting::int BETWEEN 1 AND {limit}",
    ]


def _collect_answers(
    connection: PGconn, statements: Sequence[str], choose_delay: DelayChoice
) -> list[Rows]:
    answers = [_fetch_rows(connection, statement) for statement in statements]
    while (pause := choose_delay(answers)) is not None:
        time.sleep(pause)
        answers.append(_fetch_rows(connection, statements[-1]))
    return answers


def _fetch_rows(connection: PGconn, statement: str) -> Rows:
    from psycopg.pq import DiagnosticField, ExecStatus

    result = connection.exec_(statement.encode())
    if result.status != ExecStatus.TUPLES_OK:
        # libpq's own errors, such as a connection that broke, have no SQLSTATE.
        state = decode_text(result.error_field(DiagnosticField.SQLSTATE) or b"")
        error = Rejected if state and state not in _RESTART_STATES else SourceUnavailable
        raise error(join_lines(decode_text(result.error_message)) or "an answer without rows")
    return [
        [_decode_value(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _decode_value(value: bytes | None) -> str | None:
    return None if value is None else decode_text(value)
