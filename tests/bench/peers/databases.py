"""A primary and three standbys with real PostgreSQL, on hosts of the lab."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shutil import chown, rmtree
from typing import NamedTuple

from tests.bench.peers.attempts import Attempt
from tests.bench.peers.summary import VICTIM, is_failed, is_misdirected
from tests.lab.host import Host
from tests.lab.world import World
from tests.postgres.server import Server, as_postgres
from tests.support.fabric import plug, pull
from tests.support.waiting import wait_until

PLACE = Path("/run/peers")
DATABASE = "bench"
USER = "postgres"
CHECKER = "lvsdr"  # the role of health checks
ACCESS = """\
local all all trust
local replication all trust
host all all all trust
host replication all all trust
"""
SETTINGS = {
    "listen_addresses": "*",
    "max_connections": "200",
    "wal_keep_size": "512MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "log_checkpoints": "off",
}


class Databases:
    """The servers. The primary is on director2, which is no director here."""

    def __init__(self, world: World, progress: Callable[[str], None]) -> None:
        self.primary = _server(world.director2)
        self.hosts = world.nodes
        self.standbys = {host.name: _server(host) for host in world.nodes}
        self._progress = progress
        self._primary_host = world.director2
        self._victim = world.hosts[VICTIM]

    @property
    def addresses(self) -> Mapping[str, str]:
        return {host.name: host.address for host in self.hosts}

    def start(self) -> None:
        """Make and start the servers. Wait until the standbys stream."""
        self._progress("making a primary with the tables of pgbench")
        self.primary.make()
        (self.primary.data / "pg_hba.conf").write_text(ACCESS)
        self._begin(self._primary_host, self.primary)
        self.primary.sql(f"CREATE ROLE {CHECKER} LOGIN")
        self.primary.sql(f"CREATE DATABASE {DATABASE}")
        as_postgres("pgbench", "-i", "-q", "-h", self.primary.home, "-U", USER, DATABASE)
        self._progress(f"making {len(self.standbys)} standbys")
        for host in self.hosts:
            self._copy(host)
        self.settle()

    def _copy(self, host: Host) -> None:
        """Make a standby from the primary, and start it."""
        standby = self.standbys[host.name]
        conninfo = f"host={self.primary.address} user={USER} application_name={host.name}"
        standby.copy(self.primary, conninfo)
        self._begin(host, standby)

    def settle(self) -> None:
        """Wait until all standbys stream."""
        count = f"count(*) = {len(self.standbys)} FROM pg_stat_replication"
        wait_until(
            lambda: self.primary.says(f"{count} WHERE state = 'streaming'"),
            description="the standbys to stream",
            seconds=60.0,
            pause=0.2,
        )

    def _begin(self, host: Host, server: Server) -> None:
        with host.entered():
            server.start(**SETTINGS, cluster_name=host.name)

    def close(self) -> None:
        """End the servers and remove their files."""
        for server in (*self.standbys.values(), self.primary):
            server.kill()
        rmtree(PLACE, ignore_errors=True)

    # --- faults of VICTIM; each yields the moment in monotonic seconds

    @contextlib.contextmanager
    def crashed(self) -> Iterator[float]:
        """Cut the host off: it answers nothing any more, as a host without power."""
        moment = time.monotonic()
        pull(VICTIM)
        try:
            yield moment
        finally:
            plug(VICTIM)

    @contextlib.contextmanager
    def killed(self) -> Iterator[float]:
        """Kill the database: the host refuses connections."""
        moment = time.monotonic()
        self.standbys[VICTIM].kill()
        try:
            yield moment
        finally:
            self._begin(self._victim, self.standbys[VICTIM])

    @contextlib.contextmanager
    def frozen(self) -> Iterator[float]:
        """Freeze the database: the kernel accepts connections, and nothing answers."""
        moment = time.monotonic()
        with self.standbys[VICTIM].frozen():
            yield moment

    @contextlib.contextmanager
    def promoted(self) -> Iterator[float]:
        """Promote the standby: it goes on answering, as a primary. Then make it a standby again."""
        server = self.standbys[VICTIM]
        server.sql("SELECT pg_promote()")
        try:
            yield time.monotonic()
        finally:
            server.kill()
            rmtree(server.data)
            self._copy(self._victim)


class Fault(NamedTuple):
    """A fault: a context within which VICTIM has it, and the test of a connection."""

    cause: Callable[[Databases], contextlib.AbstractContextManager[float]]
    is_wrong: Callable[[Attempt], bool] = is_failed


FAULTS: Mapping[str, Fault] = {
    "host crashed": Fault(Databases.crashed),
    "database killed": Fault(Databases.killed),
    "database frozen": Fault(Databases.frozen),
    "standby promoted": Fault(Databases.promoted, is_misdirected),
}


def _server(host: Host) -> Server:
    home = PLACE / host.name
    home.mkdir(parents=True)
    chown(home, USER, USER)
    return Server(host.address, home)
