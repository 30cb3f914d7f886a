"""A PostgreSQL server of the tests: made, started, frozen and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from tests.support.waiting import wait_until

TIMEOUT = 30.0  # seconds; longer waits mean a hang
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--")
SETTINGS = {
    "fsync": "off",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "16MB",
    "wal_level": "logical",
    "max_connections": "20",
    "max_wal_senders": "12",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
    "wal_sender_timeout": "0",
    "wal_receiver_timeout": "0",
    "autovacuum": "off",
}
ACCESS = """\
local all all trust
local replication all trust
host all all all scram-sha-256
host replication all all scram-sha-256
"""


def major(programs: Path) -> int:
    """Return the major version of PostgreSQL, from `postgres (PostgreSQL) 15.18 (Debian …)`."""
    said = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True)
    return int(said.stdout.split()[2].partition(b".")[0])


BIN = Path(os.environ["POSTGRES_BIN"])
VERSION = major(BIN)


def as_postgres(program: str, *arguments: str | Path) -> None:
    """Run one of PostgreSQL's programs to its end."""
    subprocess.run(
        [*AS_POSTGRES, BIN / program, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=TIMEOUT,
    )


class Server:
    """A server with its own address, and a directory for its socket, log and data."""

    def __init__(self, address: str, home: Path) -> None:
        self.address = address
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make an empty cluster that needs passwords for remote connections."""
        as_postgres(
            "initdb", "-D", self.data, "-U", "postgres", "--no-sync", "-E", "UTF8", "-A", "trust"
        )
        (self.data / "pg_hba.conf").write_text(ACCESS)

    def copy(self, primary: Server, conninfo: str, slot: str = "") -> None:
        """Make a standby of ``primary``, which it will reach by ``conninfo`` and a slot."""
        source = ("-h", primary.home, "-U", "postgres", "-D", self.data)
        as_postgres("pg_basebackup", *source, "--no-sync", "-c", "fast", "-X", "stream")
        (self.data / "standby.signal").touch()
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write(f"primary_conninfo = '{conninfo}'\nprimary_slot_name = '{slot}'\n")

    def start(self, **settings: str) -> None:
        """Start the server, and wait until it answers."""
        self.start_without_waiting(**settings)
        wait_until(self._answers, description=f"{self.address} to answer, see {self.log}")

    def start_without_waiting(self, **settings: str) -> None:
        """Start the server."""
        own = {"listen_addresses": self.address, "unix_socket_directories": str(self.home)}
        options = [f"-c{name}={value}" for name, value in {**SETTINGS, **own, **settings}.items()]
        with (self.log).open("ab") as log:
            self._process = subprocess.Popen(
                [*AS_POSTGRES, BIN / "postgres", "-D", self.data, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.log).read_text()
        try:
            return self.sql("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def sql(self, statement: str, dbname: str = "postgres") -> list[tuple[Any, ...]]:
        """Return the rows of a statement, run as the superuser."""
        with psycopg.connect(
            host=str(self.home), user="postgres", dbname=dbname, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def says(self, condition: str) -> bool:
        """Return whether a condition holds in SQL."""
        return self.sql(f"SELECT {condition}") == [(True,)]

    def set(self, name: str, value: str) -> None:
        """Change a setting, and reload, or restart if the setting needs that."""
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        if self.says(f"context = 'postmaster' FROM pg_settings WHERE name = '{name}'"):
            self.kill()
            self.start()
        else:
            self.sql("SELECT pg_reload_conf()")

    def forget(self, name: str) -> None:
        """Undo ``set`` by editing the file, while the server accepts no connections."""
        path = self.data / "postgresql.auto.conf"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(f"{name} =")))

    def kill(self) -> None:
        """Kill the server like a crash. Its other processes end when they notice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            wait_until(
                lambda: not self._others(), description=f"the processes of {self.address} to end"
            )

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all processes of the server. The kernel still accepts connections to it."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        # First the postmaster: once it is stopped, it starts and reaps no other process.
        os.kill(self._process.pid, number)
        for pid in self._others():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _others(self) -> list[int]:
        """Return the server's other processes, found by their working directory."""
        assert self._process is not None
        found = []
        for path in Path("/proc").glob("[0-9]*/cwd"):
            with contextlib.suppress(OSError):
                if path.readlink() == self.data and int(path.parts[2]) != self._process.pid:
                    found.append(int(path.parts[2]))
        return found
