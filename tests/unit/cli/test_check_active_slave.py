"""check_active_slave without a server; tests/postgres tests it with servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.processes import Run, run

NAME = "check_active_slave"


def unreachable(host: str) -> Run:
    message = (
        f'connection to server on socket "{host}/.s.PGSQL.5432" failed: No such file or directory'
    )
    return Run(1, "f\n", f"{NAME}: {message}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("/usr/pgsql/bin/psql", "dbname=postgres password=secret", "-h", "{host}"),
        ("psql", '"dbname=postgres', 'password=secret"', "-h", "{host}"),
        ("psql", "dbname=postgres", "{host}"),
        ("psql", "postgres", "{host}"),
        ("psql", "{host}"),
        ("-h", "{host}"),
        ("host={host}",),
        ("host=/elsewhere", "-h", "{host}"),
    ],
)
def test_an_unreachable_host_gives_f(words: tuple[str, ...], tmp_path: Path) -> None:
    """An unreachable host is reported as such; the exit status makes it a failed real server."""
    host = str(tmp_path)
    done = run(NAME, *(word.replace("{host}", host) for word in words), PGHOST="/elsewhere")
    assert done == unreachable(host)


@pytest.mark.parametrize(
    "words",
    [
        ("psql", "password=to secret", "-h", "/x"),
        ("-h",),
        ("--max-lag-bytes", "x"),
        ("a", "b", "c", "d"),
    ],
)
def test_wrong_usage_has_status_2_and_no_result(words: tuple[str, ...]) -> None:
    status, out, err = run(NAME, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"{NAME}: ")
    assert "secret" not in err


SERVICES = "[unknown]\nhost=node..1\nport=5432\n[wrong]\nport=abc\n"


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"PGSERVICE": "unknown"}, 126),
        ({"PGSERVICE": "wrong"}, 2),
        ({"PGSERVICE": "nowhere"}, 2),
        ({"PGSERVICE": "unknown", "PGSERVICEFILE": "/nonexistent"}, 2),
        ({"PGHOST": "node..1"}, 126),
        ({"PGPORT": "abc"}, 2),
        ({"PGHOSTADDR": "node1"}, 2),
        ({"PGSSLMODE": "bogus"}, 2),
        ({"PGCONNECT_TIMEOUT": "abc"}, 2),
    ],
)
def test_a_wrong_environment_gives_no_result(
    environ: dict[str, str], status: int, tmp_path: Path
) -> None:
    services = tmp_path / "services"
    services.write_text(SERVICES)
    done = run(NAME, "psql", "user=a", **{"PGSERVICEFILE": str(services), **environ})
    assert done[:2] == (status, "")
    assert done.err.count("\n") == 1


def test_pghostaddr_does_not_replace_a_missing_address() -> None:
    """PGHOSTADDR does not stand in for the address of a named host that has none.

    Such a host was not queried, so nothing is reported of it.
    """
    done = run(NAME, "psql", "user=a", "-h", "node..1", PGHOSTADDR="192.0.2.1")
    assert done[:2] == (126, "")
    assert done.err.startswith(f"{NAME}: node..1 has no address: ")
