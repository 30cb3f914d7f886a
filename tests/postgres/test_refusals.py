"""Errors of the tools without an answer: one line, and never a password."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from tests.postgres.server import Server
from tests.postgres.tool import Tool, ToolResult, Tools
from tests.postgres.world import PASSWORDS, PRIMARY, World
from tests.support.waiting import wait_until

PASSWORD = PASSWORDS["monitor"]
ODD = PASSWORDS["odd"]
HERE = f"host={PRIMARY} dbname=postgres"
DENIED = f'connection to server at "{PRIMARY}", port 5432 failed: FATAL: '


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (
            (f"{HERE} user=monitor password=Falsch-79",),
            {},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"postgresql://monitor:Falsch-79@{PRIMARY}/postgres",),
            {},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"{HERE} user=monitor",),
            {"PGPASSWORD": "Falsch-79"},
            f'{DENIED}password authentication failed for user "monitor"',
        ),
        (
            (f"{HERE} user=monitor password={PASSWORD}", "-d", "nowhere"),
            {},
            f'{DENIED}database "nowhere" does not exist',
        ),
        (
            (f"host={PRIMARY} user=monitor password={PASSWORD} dbname=nowhere",),
            {},
            f'{DENIED}database "nowhere" does not exist',
        ),
        (
            (f"{HERE} user=monitor password={PASSWORD} sslmode=require",),
            {},
            f'connection to server at "{PRIMARY}", port 5432 failed: server does not support SSL, '
            "but SSL was required",
        ),
    ],
    ids=[
        "wrong password",
        "wrong password in a URI",
        "wrong password in the environment",
        "another database",
        "no such database",
        "no SSL",
    ],
)
def test_a_server_that_answers_is_alive(
    words: tuple[str, ...], environ: dict[str, str], says: str, tools: Tools
) -> None:
    """A server that refuses a login is alive: its sessions are kept, and no list is printed.

    That differs from an empty list.
    """
    listing, check = tools.both("psql", *words, **environ)
    assert (listing, check) == (ToolResult(1, "", says), ToolResult(0, "f\n", says))


@pytest.mark.parametrize("hosts", ["10.66.0.19", "10.66.0.19,10.66.0.19"])
def test_no_answer(hosts: str, tools: Tools) -> None:
    listing, check = tools.both("psql", f"host={hosts} user=monitor password={PASSWORD}")
    refused = 'connection to server at "10.66.0.19", port 5432 failed: Connection refused'
    says = "; ".join(refused for _ in hosts.split(","))
    assert (listing, check) == (ToolResult(1, "", says), ToolResult(1, "f\n", says))


class Denial(NamedTuple):
    """Statements that make a server deny a login, their reversal, and the server's message."""

    settings: Sequence[str]
    undo: Sequence[str]
    says: str
    database: str = "postgres"
    user: str = "plain"


DENIALS = {
    "no such role": Denial([], [], "password authentication failed", user="nobody"),
    "the password has expired": Denial(
        ["ALTER ROLE plain VALID UNTIL '2001-01-01'"],
        ["ALTER ROLE plain VALID UNTIL 'infinity'"],
        "password authentication failed",
    ),
    "a role that may not log in": Denial(
        ["ALTER ROLE plain NOLOGIN"], ["ALTER ROLE plain LOGIN"], "is not permitted to log in"
    ),
    "the role's connections": Denial(
        ["ALTER ROLE plain CONNECTION LIMIT 0"],
        ["ALTER ROLE plain CONNECTION LIMIT -1"],
        'too many connections for role "plain"',
    ),
    "the database's connections": Denial(
        ["CREATE DATABASE small CONNECTION LIMIT 0"],
        ["DROP DATABASE small"],
        'too many connections for database "small"',
        "small",
    ),
    "a database without connections": Denial(
        ["CREATE DATABASE closed ALLOW_CONNECTIONS false"],
        ["DROP DATABASE closed"],
        'database "closed" is not currently accepting connections',
        "closed",
    ),
    "no right to connect": Denial(
        ["CREATE DATABASE private", "REVOKE CONNECT ON DATABASE private FROM PUBLIC"],
        ["DROP DATABASE private"],
        'permission denied for database "private"',
        "private",
    ),
    "no right to ask": Denial(
        ["REVOKE EXECUTE ON FUNCTION pg_is_in_recovery FROM PUBLIC"],
        ["GRANT EXECUTE ON FUNCTION pg_is_in_recovery TO PUBLIC"],
        "permission denied for function pg_is_in_recovery",
    ),
}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS)
def test_a_login_that_is_denied(denial: Denial, world: World, tools: Tools) -> None:
    """A denied login is recognised by its SQLSTATE, which libpq reads in any language."""
    login = f"host={PRIMARY} user={denial.user} dbname={denial.database}"
    try:
        for statement in denial.settings:
            world.primary.sql(statement)
        _, check = tools.both("psql", login, PGPASSWORD=PASSWORDS["plain"])
    finally:
        for statement in denial.undo:
            world.primary.sql(statement)
    assert check[:2] == (0, "f\n")
    assert denial.says in check.err


def test_a_host_that_pg_hba_has_not(world: World, tools: Tools) -> None:
    path = world.primary.data / "pg_hba.conf"
    before = path.read_text()
    path.write_text(
        "local all all trust\nhost all postgres all trust\nhost replication all all md5\n"
    )
    world.primary.sql("SELECT pg_reload_conf()")
    try:
        denied = "no pg_hba.conf entry for host"
        login = f"{HERE} user=monitor password={PASSWORD}"
        wait_until(lambda: denied in tools.check_active_slave(login).err, description=denied)
        assert tools.check_active_slave(login)[:2] == (0, "f\n")
    finally:
        path.write_text(before)
        world.primary.sql("SELECT pg_reload_conf()")


@contextlib.contextmanager
def full(standby: Server, user: str) -> Iterator[None]:
    """Fill a standby's connections for this user."""
    with contextlib.ExitStack() as opened:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                opened.enter_context(
                    psycopg.connect(host=str(standby.home), user=user, dbname="postgres")
                )
        yield


@pytest.mark.parametrize(
    ("user", "says"),
    [("plain", "remaining connection slots are reserved"), ("postgres", "too many clients")],
    ids=["for ordinary roles", "for all"],
)
def test_a_standby_without_free_connections(
    user: str, says: str, world: World, check_active_slave: Tool
) -> None:
    standby = world.standbys["node3"]
    login = f"user=monitor password={PASSWORD} dbname=postgres"
    with full(standby, user):
        said = check_active_slave("psql", login, "-h", "node3")
    assert said[:2] == (0, "f\n")
    assert says in said.err
    assert check_active_slave("psql", login, "-h", "node3") == ToolResult(0, "t\n", "")


def test_a_name_without_an_address(tools: Tools) -> None:
    """A name without an address leaves the state of the server unknown."""
    for said in tools.both("psql", f"host=node..1,node..2 user=monitor password={PASSWORD}"):
        assert said[:2] == (126, "")
        assert re.fullmatch(r"node..1 has no address: [^;]+; node..2 has no address: .+", said.err)


@pytest.mark.parametrize(
    ("string", "says"),
    [
        (f"host=node1 password={ODD}", 'missing "=" after ... in connection info string'),
        ("postgresql://odd:s3cr%zzt@node1/x", "invalid percent-encoded token: ..."),
    ],
)
def test_a_malformed_string_is_not_repeated(string: str, says: str, tools: Tools) -> None:
    said = ToolResult(2, "", f"malformed connection string: {says}")
    assert tools.both("psql", string) == (said, said)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "words",
    [
        (f"Postgresql://monitor:{PASSWORD}@{PRIMARY}/postgres",),
        (f"Postgresql://monitor:{PASSWORD}@{PRIMARY}/postgres?sslmode=disable",),
        (f"monitor:{PASSWORD}@{PRIMARY}/postgres",),
        ("-d", f"monitor:{PASSWORD}@{PRIMARY}/postgres"),
        ("-h", f"monitor:{PASSWORD}@{PRIMARY}"),
        ("-h", PRIMARY, f"postgresql://monitor:{PASSWORD}/postgres"),
        (f"postgresql://monitor:{PASSWORD}/postgres",),
        (f"postgresql://monitor:{PASSWORD}%zz",),
        (f"host={PRIMARY}", "user=monitor", "password=a", PASSWORD),
        (f"host={PRIMARY}", "user=monitor", "password=a", f"--{PASSWORD}"),
        (f"host={PRIMARY} user=monitor password=a", PASSWORD),
        (f"host={PRIMARY} user=monitor password=a {PASSWORD}",),
        (f"host={PRIMARY} user=monitor pasword=a {PASSWORD}",),
    ],
    ids=lambda words: " ".join(words).replace(PASSWORD, "..."),
)
def test_a_password_is_taken_for_something_else(words: tuple[str, ...], tools: Tools) -> None:
    """A misplaced password does not appear in the output, which Tools.both checks."""
    for said in tools.both("psql", *words):
        assert said.status != 0
        assert said.err


def test_a_uri_that_libpq_would_misread(tools: Tools) -> None:
    """libpq would take the part after the @ for a host, and print it."""
    said = ToolResult(2, "", "write @ as %40 and / as %2F in the user and password of a URI")
    assert tools.both("psql", f"postgresql://odd:{ODD}@{PRIMARY}/postgres") == (said, said)


@pytest.mark.usefixtures("world")
def test_a_passfile_that_others_may_read(get_active_slaves: Tool, tmp_path: Path) -> None:
    path = tmp_path / "pgpass"
    path.write_text(f"*:*:*:monitor:{PASSWORD}\n")
    path.chmod(0o644)
    said = get_active_slaves("psql", f"{HERE} user=monitor passfile={path}")
    assert said.status == 1
    assert "fe_sendauth: no password supplied" in said.err
    assert f'password file "{path}" has group or world access' in said.err


def test_a_service_that_is_not_there(get_active_slaves: Tool) -> None:
    said = get_active_slaves("psql", "service=nowhere")
    assert said == ToolResult(2, "", 'definition of service "nowhere" not found')


def test_a_user_without_a_name(installed: Tools) -> None:
    path = installed.check_active_slave.path
    done = subprocess.run(
        ["setpriv", "--reuid=54321", "--clear-groups", "--", path, f"host={PRIMARY}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "check_active_slave: local user with ID 54321 does not exist\n"
