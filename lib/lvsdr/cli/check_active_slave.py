"""check_active_slave: t if a server is a standby that is fit for reads, f if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DeadlineExceeded, Rejected, SourceUnavailable
from ..postgres.commandline import is_connection_string
from ..postgres.connection import Target
from ..postgres.standby import STATEMENT, Standby, choose_retry_delay, find_flaw, parse_standby
from ..system import postgres_query
from . import print_error
from .postgres_options import (
    CONNECTION_OPTIONS,
    LIMIT_OPTIONS,
    PostgresCommand,
    read_limits,
    read_target,
    read_target_words,
    reject_malformed_answer,
    start_deadline,
)
from .program import build_command, print_result, run

if TYPE_CHECKING:
    from ..system.postgres_query import Rows

NAME = "check_active_slave"
COMMAND = build_command(
    PostgresCommand,
    NAME,
    """\
    Print t if a PostgreSQL server accepts connections and is in recovery: a standby. Otherwise
    print f, and the reason on standard error.

    CONNECTION has the forms that psql accepts: a connection string, a URI, or a database; the
    environment, services and password files count. The host is the value of -h or the last
    argument. A path of psql before it has no effect.

    The exit status is 0 if the server answered, even if it denied the login; 1 if it did not
    answer, or is starting or shutting down; 126 if a query was impossible: its name has no
    address, or a module is missing.
    """,
    (*CONNECTION_OPTIONS, *LIMIT_OPTIONS),
)


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    return run(COMMAND, _check_server, arguments)


def _check_server(values: Mapping[str, Any]) -> None:
    deadline, limits = start_deadline(values), read_limits(values)

    def choose_delay(answers: Sequence[Rows]) -> float | None:
        return choose_retry_delay(_parse_answers(answers), limits, deadline.remaining())

    try:
        target = _read_target(values)
        answers = postgres_query.query_rows(target, [STATEMENT], deadline, choose_delay)
        states = _parse_answers(answers)
    except Rejected as error:
        print_result("f")
        print_error(NAME, error)
        return
    except (SourceUnavailable, DeadlineExceeded):
        print_result("f")
        raise
    flaw = find_flaw(states, limits)
    print_result("f" if flaw else "t")
    if flaw:
        print_error(NAME, f"the server {flaw}")


def _parse_answers(answers: Sequence[Rows]) -> list[Standby]:
    with reject_malformed_answer():
        return [parse_standby(row) for (row,) in answers]


def _read_target(values: Mapping[str, Any]) -> Target:
    """Return the target; a last argument that is no connection string is an appended host."""
    arguments = read_target_words(values)
    if values["host"] or not arguments or is_connection_string(arguments[-1]):
        return read_target(arguments, values)
    return read_target(arguments[:-1], values, arguments[-1])
