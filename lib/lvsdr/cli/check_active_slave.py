"""check_active_slave: t if a server is a standby that is fit for reads, f if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DeadlineExceeded, Rejected, SourceUnavailable
from ..postgres.commandline import is_connection_string
from ..postgres.connection import Target
from ..postgres.standby import STATEMENT, Standby, again, standby, why_not
from ..system import postgres_query
from . import complain
from .postgres_options import (
    CONNECTION,
    LIMITS,
    AskingCommand,
    connection,
    deadline,
    limits,
    understanding,
    words,
)
from .program import described, run, say

if TYPE_CHECKING:
    from ..system.postgres_query import Rows

NAME = "check_active_slave"
COMMAND = described(
    AskingCommand,
    NAME,
    """\
    Print t if a PostgreSQL server accepts connections and is in recovery: a standby. Otherwise
    print f, and the reason on standard error.

    CONNECTION is what psql takes: a connection string, a URI, or a database; the environment,
    services and password files count. The server may be named by -h or as the last argument. A path
    of psql before all that is accepted and not used.

    The exit status is 0 if the server answered, even if it denied the login, 1 if it did not or is
    starting or shutting down, 126 if it could not be asked: its name has no address, or a module is
    missing.
    """,
    (*CONNECTION, *LIMITS),
)


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    return run(COMMAND, _check, arguments)


def _check(given: Mapping[str, Any]) -> None:
    until, most = deadline(given), limits(given)

    def once_more(answers: Sequence[Rows]) -> float | None:
        return again(_said(answers), most, until.remaining())

    try:
        said = _said(postgres_query.ask(_server(given), [STATEMENT], until, once_more))
    except Rejected as error:
        say("f")
        complain(NAME, error)
        return
    except (SourceUnavailable, DeadlineExceeded):
        say("f")
        raise
    reason = why_not(said, most)
    say("f" if reason else "t")
    if reason:
        complain(NAME, f"the server {reason}")


def _said(answers: Sequence[Rows]) -> list[Standby]:
    with understanding():
        return [standby(row) for (row,) in answers]


def _server(given: Mapping[str, Any]) -> Target:
    """Return the target; a last argument that is no connection string is an appended host."""
    arguments = words(given)
    if given["host"] or not arguments or is_connection_string(arguments[-1]):
        return connection(arguments, given)
    return connection(arguments[:-1], given, arguments[-1])
