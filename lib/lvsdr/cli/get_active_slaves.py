"""get_active_slaves: the standbys that stream from a primary, by name, on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..postgres.primary import (
    STATEMENTS,
    Naming,
    Walsender,
    again,
    anybody,
    listed,
    members,
    standbys,
    walsenders,
)
from ..system import crm, postgres_query
from ..values.deadline import Deadline
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

NAME = "get_active_slaves"
COMMAND = described(
    AskingCommand,
    NAME,
    """\
    Print the names of the active standbys of a PostgreSQL primary on one line.

    CONNECTION is what psql takes: a connection string, a URI, or a database and a user; the
    environment, services and password files count. A path of psql before it is accepted and not
    used. A standby is listed by its application_name, one with hot_standby=off, too: the primary
    does not know which standbys take connections, check_active_slave does.
    """,
    (
        *CONNECTION,
        *LIMITS,
        click.Option(
            ["--node", "--nodes", "nodes"],
            multiple=True,
            metavar="NAMES",
            help="Only these names; may be repeated. Default: the nodes of the cluster, and "
            "addresses; any host where there is no cluster.",
        ),
        click.Option(["--verbose"], is_flag=True, help="Say who is left out, on standard error."),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    return run(COMMAND, _list, arguments)


def _list(given: Mapping[str, Any]) -> None:
    until, most, hosts = deadline(given), limits(given), _hosts(given["nodes"])

    def once_more(answers: Sequence[Rows]) -> float | None:
        # The other half of the time is for the query of the cluster.
        return again(_seen(answers), most, until.remaining() - given["timeout"] / 2)

    target = connection(words(given), given)
    seen = _seen(postgres_query.ask(target, STATEMENTS, until, once_more))
    found = standbys(seen, listed(hosts) if hosts else _known_here(until), most)
    for reason in found.left_out if given["verbose"] else ():
        complain(NAME, f"left out: {reason}")
    if not hosts:
        found.require_a_name()
    say(" ".join(found.names))


def _seen(answers: Sequence[Rows]) -> list[list[Walsender]]:
    with understanding():
        ((role,), *times) = answers
        return [walsenders(role, rows) for rows in times]


def _hosts(values: Sequence[str]) -> list[str]:
    """Return the names in the values of --nodes; an empty value is an error.

    An empty variable in a script gives such a value.
    """
    lists = [value.replace(",", " ").split() for value in values]
    if not all(lists):
        raise click.UsageError("--nodes has no names; leave it out if all count")
    return [name for names in lists for name in names]


def _known_here(until: Deadline) -> Naming:
    """Return the naming by the cluster, if there is one, or else by any host name."""
    state = crm.read_cluster_state_if_any(until)
    return anybody if state is None else members(state.nodes)
