"""Queries to PostgreSQL without a server; tests/postgres has servers."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import ModuleType

import pytest
from lvsdr.errors import InvalidParameters, NotAsked, NotInstalled, SourceUnavailable
from lvsdr.postgres.connection import Target
from lvsdr.system.postgres_query import query_rows
from lvsdr.values.deadline import Deadline

pytestmark = pytest.mark.usefixtures("nothing_left")


class Dying(ModuleType):
    """A library that kills its process at the first use."""

    def __getattr__(self, name: str) -> object:
        os.kill(os.getpid(), signal.SIGKILL)
        return name


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        query_rows(Target("port=1", {"host": str(tmp_path)}), ["SELECT 1"], Deadline.after(20))
    socket = tmp_path / ".s.PGSQL.1"
    assert str(caught.value) == (
        f'connection to server on socket "{socket}" failed: No such file or directory'
    )


@pytest.mark.parametrize(
    ("string", "says"),
    [
        ("password=to s3cr", 'missing "=" after ... in connection info string'),
        ('password=x s3c"r', 'missing "=" after ... in connection info string'),
        ("password=x s3cr=t", "invalid connection option ..."),
        ("password='s3cr", "unterminated quoted string in connection info string"),
        ("conect_timeout=5", 'invalid connection option "conect_timeout"'),
        ("postgres://odd:s3cr%zzt@node1/x", "invalid percent-encoded token: ..."),
        ("postgres://odd:s3crt@[::1/x", 'end of string reached when looking for matching "]"'),
        ("postgres://odd:s3crt@[::1]x/y", "unexpected character ..."),
        ("postgres://odd@node1/x?password=s3cr=t", 'extra key/value separator "=" in URI'),
        ("postgres://odd@node1/x?password=y&s3cr", 'missing key/value separator "=" in URI'),
        ("postgres://odd@node1/x?password=y&s3cr=t", "invalid URI query parameter: ..."),
    ],
)
def test_a_string_that_cannot_be_read(string: str, says: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        query_rows(Target(string, {}), ["SELECT 1"], Deadline.after(20))
    assert str(caught.value).startswith(f"malformed connection string: {says}")
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"port": "99999"}, "port is not a number from 1 to 65535"),
        ({"connect_timeout": "abc"}, "connect_timeout is not a number"),
        ({"sslmode": "bogus"}, 'invalid sslmode value: "bogus"'),
        ({"host": "192.0.2.1,192.0.2.2", "port": "1,2,3"}, "could not match 3 port numbers to 2 "),
        ({"service": "nowhere"}, 'definition of service "nowhere" not found'),
    ],
)
def test_a_setting_that_cannot_be_used(settings: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        query_rows(Target("", {"host": "192.0.2.1", **settings}), ["SELECT 1"], Deadline.after(20))
    assert str(caught.value).startswith(says)


def test_a_worker_that_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies has not learnt anything of a server."""
    monkeypatch.setitem(sys.modules, "psycopg.conninfo", Dying("psycopg.conninfo"))
    with pytest.raises(NotAsked, match=r"^psycopg: exit status 137"):
        query_rows(Target("", {}), ["SELECT 1"], Deadline.after(20))


def test_no_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(NotInstalled, match=r"^psycopg cannot be loaded: .*Debian: python3-psycopg"):
        query_rows(Target("", {}), ["SELECT 1"], Deadline.after(20))
