"""get_active_slaves: the standbys that stream from a primary, by name, on one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..postgres.primary import (
    STATEMENTS,
    Naming,
    Walsender,
    accept_any_host,
    build_cluster_naming,
    build_naming,
    choose_retry_delay,
    parse_walsenders,
    select_standbys,
)
from ..system import crm, postgres_query
from ..values.deadline import Deadline
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

NAME = "get_active_slaves"
COMMAND = build_command(
    PostgresCommand,
    NAME,
    """\
    Print the names of the active standbys of a PostgreSQL primary on one line.

    CONNECTION has the forms that psql accepts: a connection string, a URI, or a database and a
    user; the environment, services and password files count. A path of psql before it has no
    effect. The name of a standby is its application_name. A standby with hot_standby=off is
    printed, too: the primary does not know which standbys accept connections, check_active_slave
    does.
    """,
    (
        *CONNECTION_OPTIONS,
        *LIMIT_OPTIONS,
        click.Option(
            ["--node", "--nodes", "nodes"],
            multiple=True,
            metavar="NAMES",
            help="Print only these names; may be repeated. Default: the nodes of the cluster, and "
            "addresses; without a cluster any host.",
        ),
        click.Option(
            ["--verbose"],
            is_flag=True,
            help="Print the omitted standbys and the reasons on standard error.",
        ),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run with these arguments; return the exit status."""
    return run(COMMAND, _list_standbys, arguments)


def _list_standbys(values: Mapping[str, Any]) -> None:
    deadline, limits = start_deadline(values), read_limits(values)
    nodes = _parse_nodes(values["nodes"])

    def choose_delay(answers: Sequence[Rows]) -> float | None:
        # The other half of the time is for the query of the cluster.
        return choose_retry_delay(
            _parse_answers(answers), limits, deadline.remaining() - values["timeout"] / 2
        )

    target = read_target(read_target_words(values), values)
    samples = _parse_answers(postgres_query.query_rows(target, STATEMENTS, deadline, choose_delay))
    active_standbys = select_standbys(
        samples, build_naming(nodes) if nodes else _read_cluster_naming(deadline), limits
    )
    for exclusion in active_standbys.exclusions if values["verbose"] else ():
        print_error(NAME, f"left out: {exclusion}")
    if not nodes:
        active_standbys.require_name()
    print_result(" ".join(active_standbys.names))


def _parse_answers(answers: Sequence[Rows]) -> list[list[Walsender]]:
    with reject_malformed_answer():
        ((role,), *samples) = answers
        return [parse_walsenders(role, rows) for rows in samples]


def _parse_nodes(values: Sequence[str]) -> list[str]:
    """Return the names in the values of --nodes; an empty value is an error.

    An empty variable in a script gives such a value.
    """
    lists = [value.replace(",", " ").split() for value in values]
    if not all(lists):
        raise click.UsageError("--nodes has no names: set at least one, or omit the option")
    return [name for names in lists for name in names]


def _read_cluster_naming(deadline: Deadline) -> Naming:
    """Return the naming by the cluster, if there is one, or else by any host name."""
    cluster = crm.read_cluster_state_if_any(deadline)
    return accept_any_host if cluster is None else build_cluster_naming(cluster.nodes)
