"""get_active_slaves without a server; tests/postgres tests it with servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.processes import Run, run

NAME = "get_active_slaves"


@pytest.mark.parametrize("psql", [("/usr/pgsql/bin/psql",), ()])
def test_an_unreachable_server_gives_no_list(psql: tuple[str, ...], tmp_path: Path) -> None:
    status, out, err = run(NAME, *psql, f"host={tmp_path} password=secret dbname=postgres")
    assert (status, out) == (1, "")
    assert err == (
        f'{NAME}: connection to server on socket "{tmp_path}/.s.PGSQL.5432" failed: '
        "No such file or directory\n"
    )


def test_a_malformed_connection_string_is_wrong_usage() -> None:
    message = 'malformed connection string: missing "=" after ... in connection info string'
    assert run(NAME, "psql", "password=to secret") == Run(2, "", f"{NAME}: {message}\n")


def test_too_many_arguments_are_wrong_usage() -> None:
    status, out, err = run(NAME, "psql", "x=y", "a", "secret")
    assert (status, out) == (2, "")
    assert err.startswith(f"{NAME}: 1 argument(s) too many")
    assert "secret" not in err


@pytest.mark.parametrize("names", ["", " ", ","])
def test_an_empty_list_of_nodes_is_wrong_usage(names: str) -> None:
    message = f"{NAME}: --nodes has no names: set at least one, or omit the option\n"
    assert run(NAME, "psql", "host=/nonexistent", "--nodes", "node1", "--nodes", names) == Run(
        2, "", message
    )
