"""Ask a PostgreSQL server: libpq, through psycopg, in a process that can be given up.

libpq's own way to connect is the one that honours everything that a connection string can say, and
it waits as long as it likes: for a resolver, for a server that accepts and says nothing.  So it is
done by a child, which tells what it is doing, and ends with the deadline.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence

from ..deadline import Deadline
from ..errors import (
    DeadlineExceeded,
    InvalidParameters,
    NotInstalled,
    SourceUnavailable,
    Unresolved,
)
from ..postgres.complaints import failed, malformed, one_line, shown
from ..postgres.connection import Target, hosts, names, patience
from .fork import fork
from .run import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from psycopg.pq.abc import PGconn

    Rows = list[list[Optional[str]]]
    Again = Callable[[Sequence[Rows]], Optional[float]]
    """By the answers so far: after how many seconds the last statement is to be sent again."""

_LOOKING_UP = "looking up "
_HINT = "Debian: python3-psycopg, EL and Fedora: python3-psycopg3"


def ask(
    target: Target,
    statements: Sequence[str],
    deadline: Deadline,
    again: Again = lambda _answers: None,
) -> list[Rows]:
    """The rows of each statement, values as text, from the server that libpq connects to.

    ``again`` is asked in the child.

    Raises SourceUnavailable if it does not answer, or DeadlineExceeded; Unresolved if there was
    nobody to ask; InvalidParameters for a connection string that cannot be read; NotInstalled
    without psycopg.
    """
    seconds = deadline.remaining()
    child = fork("psycopg", lambda: _converse(target, statements, seconds, again), deadline)
    result = finish(child, deadline)
    told = {"doing": "starting", **_last(result.stdout)}
    if result.problem:
        waited = f"{round(seconds, 1):g} s"
        late = Unresolved if told["doing"].startswith(_LOOKING_UP) else DeadlineExceeded
        raise late(f"no answer within {waited} while {told['doing']}")
    if "rows" in told:
        rows: list[Rows] = told["rows"]
        return rows
    if "missing" in told:
        raise NotInstalled(told["missing"])
    if "malformed" in told:
        raise InvalidParameters([told["malformed"]])
    if "unresolved" in told:
        raise Unresolved(told["unresolved"])
    if "failed" in told:
        # What libpq has to say of a passfile it prints.
        of_files = failed(_text(result.stderr), target, {})
        raise SourceUnavailable("; ".join(filter(None, [told["failed"], of_files])))
    raise SourceUnavailable(f"psycopg: {result.complaint()}")


def _last(output: bytes) -> dict[str, Any]:
    """The last whole line that the child wrote."""
    lines = output.decode().split("\n")[:-1]
    return dict(json.loads(lines[-1])) if lines else {}


def _tell(what: str, content: object) -> None:
    os.write(1, f"{json.dumps({what: content})}\n".encode())


class _End(Exception):
    """The conversation is over: what there is to tell."""


class _Failed(Exception):
    """libpq, or the server, has said why."""


def _converse(target: Target, statements: Sequence[str], seconds: float, again: Again) -> None:
    """Connect, ask, and tell what came of it."""
    _tell("doing", "loading psycopg")
    try:
        known = _settings(target)
        try:
            connection = _connected(target, known, seconds)
            _tell("doing", "waiting for the answer of a server that accepted the connection")
            for text in _preamble(seconds):
                _rows(connection, text)
            answers = _answers(connection, statements, again)
        except _Failed as failure:
            raise _End("failed", failed(_text(failure.args[0]), target, known)) from None
        _tell("rows", answers)
    except _End as end:
        _tell(*end.args)


def _settings(target: Target) -> dict[str, str]:
    """What libpq reads in the target, by its keywords."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except Exception as error:  # an old psycopg and a new Python do not stop at ImportError
        why = f"psycopg cannot be loaded: {one_line(str(error))} ({_HINT})"
        raise _End("missing", why) from None
    try:
        settings = conninfo_to_dict(target.string)
    except ProgrammingError as error:
        raise _End("malformed", malformed(target.string, str(error))) from None
    return {"fallback_application_name": "lvsdr", **settings, **target.settings}


def _connected(target: Target, settings: dict[str, str], seconds: float) -> PGconn:
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import ConnStatus, PGconn

    _look_up({name: shown(name, target, settings) for name in names(settings, os.environ)})
    servers = [shown(server, target, settings) for server in hosts(settings, os.environ)]
    if len(servers) > 1:
        # What the string or its service says goes before it.
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(patience(len(servers), seconds)))
    _tell("doing", f"connecting to {', '.join(servers)}" if servers else "connecting")
    connection = PGconn.connect(make_conninfo(**settings).encode())
    if connection.status != ConnStatus.OK:
        raise _Failed(connection.error_message)
    return connection


def _look_up(servers: Mapping[str, str]) -> None:
    """See that one of them has an address: libpq tells no difference between that and no answer."""
    from .resolver import look_up

    problems = []
    for name, shown_as in servers.items():
        _tell("doing", f"{_LOOKING_UP}{shown_as}")
        try:
            look_up(name, 0)  # AF_UNSPEC
            return
        except OSError as error:
            problems.append(f"{shown_as} has no address: {error.strerror or error}")
    if problems:
        raise _End("unresolved", "; ".join(problems))


def _preamble(seconds: float) -> list[str]:
    """Nobody else's functions, and no query that goes on when nobody waits for it any more."""
    return [
        "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)",
        f"SELECT set_config('statement_timeout', '{seconds * 1000:.0f}', false)"
        " WHERE current_setting('statement_timeout') = '0'",
    ]


def _answers(connection: PGconn, statements: Sequence[str], again: Again) -> list[Rows]:
    answers = [_rows(connection, statement) for statement in statements]
    while (pause := again(answers)) is not None:
        time.sleep(pause)
        answers.append(_rows(connection, statements[-1]))
    return answers


def _rows(connection: PGconn, statement: str) -> Rows:
    from psycopg.pq import ExecStatus

    result = connection.exec_(statement.encode())
    if result.status != ExecStatus.TUPLES_OK:
        raise _Failed(result.error_message)
    return [
        [_value(result.get_value(row, column)) for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]


def _value(value: bytes | None) -> str | None:
    return None if value is None else _text(value)


def _text(said: bytes) -> str:
    return said.decode("utf-8", "replace")
