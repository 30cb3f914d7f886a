"""A primary with three standbys, and roles for queries."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from shutil import chown
from typing import NamedTuple

from tests.postgres.server import Server
from tests.support.waiting import wait_until

NAMES = {"node2": "10.66.0.12", "node3": "10.66.0.13", "10.66.0.14": "10.66.0.14"}
PRIMARY = "10.66.0.11"

# Role -> password. Some of them are hard to quote.
PASSWORDS = {"monitor": "Wunderbar-77", "odd": "s3cr@t/ of 'w\"d\\x", "plain": "Sonderbar-78"}
SECRETS = (*PASSWORDS.values(), "s3cr", "Falsch-79")

ROLES = [
    "CREATE ROLE monitor LOGIN REPLICATION IN ROLE pg_monitor",
    "CREATE ROLE odd LOGIN IN ROLE pg_monitor",
    "CREATE ROLE plain LOGIN REPLICATION",
]

SETTLED = """
    count(*) = 3 AND bool_and(
        application_name IN ('node2', 'node3', '10.66.0.14')
        AND state = 'streaming' AND replay_lsn = pg_current_wal_flush_lsn()
    ) FROM pg_stat_replication
"""


class World(NamedTuple):
    """The servers; the third standby's only name is its address."""

    primary: Server
    standbys: dict[str, Server]

    def settle(self) -> None:
        """Wait until the three standbys are up to date, without other walsenders."""
        wait_until(
            lambda: self.primary.says(SETTLED), description="the standbys, and only they, to stream"
        )

    def write(self) -> None:
        """Make a megabyte of WAL."""
        self.primary.sql("SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000))")
        self.primary.sql("CREATE TABLE IF NOT EXISTS written (at timestamptz DEFAULT now())")
        self.primary.sql("INSERT INTO written DEFAULT VALUES")

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[Server]:
        """Pause the replay of a standby, with WAL left to replay."""
        standby = self.standbys[name]
        standby.sql("SELECT pg_wal_replay_pause()")
        try:
            self.write()
            sent = self.primary.sql("SELECT pg_current_wal_flush_lsn()")[0][0]
            wait_until(
                lambda: standby.says(f"pg_last_wal_receive_lsn() >= '{sent}'"),
                description=f"{name} to have received",
            )
            yield standby
        finally:
            standby.sql("SELECT pg_wal_replay_resume()")
            self.settle()


def conninfo(name: str) -> str:
    """Return the conninfo of a standby of that name."""
    return f"host={PRIMARY} user=monitor password={PASSWORDS['monitor']} application_name={name}"


@contextlib.contextmanager
def made(directory: Path) -> Iterator[World]:
    """Yield the servers, started."""
    with contextlib.ExitStack() as left:

        def server(address: str) -> Server:
            home = directory / address
            home.mkdir(parents=True)
            chown(home, "postgres", "postgres")
            made = Server(address, home)
            left.callback(made.kill)
            return made

        primary = server(PRIMARY)
        primary.make()
        primary.start()
        for statement in ROLES:
            primary.sql(statement)
        for role, password in PASSWORDS.items():
            primary.sql("ALTER ROLE {} PASSWORD '{}'".format(role, password.replace("'", "''")))
        standbys = {name: server(address) for name, address in NAMES.items()}
        for name, standby in standbys.items():
            # Without a slot a checkpoint could remove WAL that the standby has not received yet.
            slot = f"s{standby.address.replace('.', '_')}"
            primary.sql(f"SELECT pg_create_physical_replication_slot('{slot}')")
            standby.copy(primary, conninfo(name), slot)
            standby.start()
        yield World(primary, standbys)
