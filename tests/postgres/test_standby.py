"""check_active_slave: tests whether one server is a standby to read from."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres.server import VERSION, Server
from tests.postgres.tool import Tool, ToolResult
from tests.postgres.world import PASSWORDS, World
from tests.support.waiting import wait_until

# Arguments as from an agent, which appends the candidate.
CALL = (
    "/usr/pgsql/bin/psql",
    f"port=5432 dbname=postgres user=monitor password={PASSWORDS['monitor']} connect_timeout=5",
    "-h",
)
FIT = ToolResult(0, "t\n", "")
NO_STANDBY = ToolResult(0, "f\n", "the server is not in recovery: a primary, not a standby")
TURNED_AWAY = "FATAL: the database system is " + (
    "not accepting connections" if VERSION >= 14 else "starting up"
)
LIMITS = [("--max-lag-bytes", "500000"), ("--max-lag-seconds", "1")]


@contextlib.contextmanager
def without_receiver(standby: Server) -> Iterator[None]:
    """Remove the primary of a standby."""
    ((conninfo,),) = standby.sql("SHOW primary_conninfo")
    standby.set("primary_conninfo", "")
    try:
        nothing = "count(*) = 0 FROM pg_stat_wal_receiver"
        wait_until(lambda: standby.says(nothing), description="the WAL receiver to end")
        yield
    finally:
        standby.set("primary_conninfo", conninfo)


def until_idle_for_a_second(standby: Server) -> None:
    idle = "now() - pg_last_xact_replay_timestamp() > interval '1.1 s'"
    wait_until(lambda: standby.says(idle), description="a second without a transaction")


@pytest.mark.parametrize("host", ["node2", "node3", "10.66.0.14"])
@pytest.mark.usefixtures("world")
def test_a_standby_is_fit(host: str, check_active_slave: Tool) -> None:
    assert check_active_slave(*CALL, host) == FIT


@pytest.mark.usefixtures("world")
def test_the_primary_is_alive_but_no_standby(check_active_slave: Tool) -> None:
    assert check_active_slave(*CALL, "node1") == NO_STANDBY


def test_a_standby_that_was_promoted(world: World, check_active_slave: Tool) -> None:
    """A standby that is promoted is no standby any more."""
    promoted = Server("10.66.0.19", world.primary.home.parent / "promoted")
    promoted.home.mkdir()
    promoted.home.chmod(0o777)
    promoted.copy(world.primary, "")
    promoted.start()
    try:
        assert check_active_slave(*CALL, "10.66.0.19") == FIT
        promoted.sql("SELECT pg_promote()")
        assert check_active_slave(*CALL, "10.66.0.19") == NO_STANDBY
    finally:
        promoted.kill()


def test_a_standby_that_died(world: World, check_active_slave: Tool) -> None:
    world.standbys["node3"].kill()
    try:
        said = check_active_slave(*CALL, "node3")
        assert said[:2] == (1, "f\n")
        assert said.err == (
            'connection to server at "node3" (10.66.0.13), port 5432 failed: Connection refused'
        )
    finally:
        world.standbys["node3"].start()


def test_a_standby_that_takes_no_connections(world: World, check_active_slave: Tool) -> None:
    """A standby with hot_standby=off is alive, but refuses connections."""
    standby = world.standbys["node3"]
    standby.sql("ALTER SYSTEM SET hot_standby = off")
    standby.kill()
    standby.start_without_waiting()
    try:
        wait_until(
            lambda: TURNED_AWAY in check_active_slave(*CALL, "node3").err, description=TURNED_AWAY
        )
        assert check_active_slave(*CALL, "node3")[:2] == (1, "f\n")
    finally:
        standby.kill()
        standby.forget("hot_standby")
        standby.start()


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit[0])
def test_lag(limit: tuple[str, str], world: World, check_active_slave: Tool) -> None:
    assert check_active_slave(*limit, *CALL, "node3") == FIT
    with world.paused("node3"):
        wait_until(
            lambda: check_active_slave(*limit, *CALL, "node3").out == "f\n", description="lag"
        )
        said = check_active_slave(*limit, *CALL, "node3")
        assert said.status == 0
        assert said.err.startswith("the server lags ")
        assert f" {limit[0].rpartition('-')[2]} behind, more than {limit[1]}" in said.err
        assert check_active_slave(*CALL, "node3") == FIT
        assert check_active_slave(limit[0], "9000000", *CALL, "node3") == FIT


def test_an_idle_primary_is_no_lag(world: World, check_active_slave: Tool) -> None:
    until_idle_for_a_second(world.standbys["node3"])
    assert check_active_slave("--max-lag-seconds", "1", *CALL, "node3") == FIT


@contextlib.contextmanager
def writing_without_end(primary: Server) -> Iterator[None]:
    """Run a transaction that writes as fast as possible, and is never committed."""
    insert = "INSERT INTO bulk SELECT repeat('x', 1000) FROM generate_series(1, 2000)"
    primary.sql("CREATE TABLE IF NOT EXISTS bulk (x text)")
    over = threading.Event()
    with psycopg.connect(host=str(primary.home), user="postgres", dbname="postgres") as connection:

        def write() -> None:
            while not over.is_set():
                connection.execute(insert)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            connection.rollback()


def test_a_long_transaction_is_no_lag(world: World, check_active_slave: Tool) -> None:
    """The WAL of a long transaction is replayed all the time, although the last commit is old."""
    standby = world.standbys["node3"]
    with writing_without_end(world.primary):
        until_idle_for_a_second(standby)
        behind = "pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"
        wait_until(lambda: standby.says(behind), description="something to replay")
        for _ in range(5):
            assert check_active_slave("--max-lag-seconds", "1", *CALL, "node3") == FIT
        standby.sql("SELECT pg_wal_replay_pause()")
        try:
            said = check_active_slave("--max-lag-seconds", "1", *CALL, "node3")
            assert said[:2] == (0, "f\n")
        finally:
            standby.sql("SELECT pg_wal_replay_resume()")


def test_a_receiver_without_messages(world: World, check_active_slave: Tool) -> None:
    """A working receiver requests a message of its primary before its timeout, or else ends."""
    standby = world.standbys["node3"]
    limit = ("--max-lag-seconds", "1")
    standby.kill()
    standby.start(wal_receiver_timeout="2s")
    try:
        receiver = "SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"
        wait_until(lambda: bool(standby.sql(receiver)), description="a WAL receiver")
        time.sleep(3)
        assert check_active_slave(*limit, *CALL, "node3") == FIT
        ((pid,),) = standby.sql(receiver)
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_until(
                lambda: check_active_slave(*limit, *CALL, "node3").out == "f\n", description="lag"
            )
            said = check_active_slave(*limit, *CALL, "node3")
            assert said.err.endswith("; it has no WAL receiver that receives messages")
            assert check_active_slave(*CALL, "node3") == FIT
        finally:
            os.kill(pid, signal.SIGCONT)
    finally:
        standby.kill()
        standby.start()


def test_a_standby_without_a_primary(world: World, check_active_slave: Tool) -> None:
    """A standby without a primary is fit, unless the age of its data is limited."""
    standby = world.standbys["node3"]
    with without_receiver(standby):
        until_idle_for_a_second(standby)
        assert check_active_slave(*CALL, "node3") == FIT
        assert check_active_slave("--max-lag-seconds", "900", *CALL, "node3") == FIT
        for limit in LIMITS:
            said = check_active_slave(*limit, *CALL, "node3")
            assert said[:2] == (0, "f\n")
            assert said.err.endswith("; it has no WAL receiver")


ROLES = ("monitor", "plain")


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit[0])
def test_a_standby_restarted_without_its_primary(
    limit: tuple[str, str], world: World, check_active_slave: Tool
) -> None:
    """It has replayed no transaction since its start, so the age of its data is unknown."""
    standby = world.standbys["node3"]
    unknown = f"lags an unknown number of {limit[0].rpartition('-')[2]} behind"
    # After a restartpoint no transaction is left to replay at the start.
    world.primary.sql("CHECKPOINT")
    world.settle()
    standby.sql("CHECKPOINT")
    world.primary.kill()
    try:
        standby.kill()
        standby.start()
        assert standby.says("pg_last_xact_replay_timestamp() IS NULL")
        for role in ROLES:
            login = f"user={role} password={PASSWORDS[role]} dbname=postgres"
            said = check_active_slave(*limit, "psql", login, "-h", "node3")
            assert said[:2] == (0, "f\n")
            assert said.err.startswith(f"the server {unknown}")
            assert said.err.endswith("; it has no WAL receiver")
            assert check_active_slave("psql", login, "-h", "node3") == FIT
    finally:
        world.primary.start()
    world.settle()
    for role in ROLES:
        login = f"user={role} password={PASSWORDS[role]} dbname=postgres"
        assert check_active_slave(*limit, "psql", login, "-h", "node3") == FIT


@pytest.mark.usefixtures("world")
def test_a_role_without_pg_monitor_gets_the_same_answers(check_active_slave: Tool) -> None:
    """A role without pg_monitor gets the same answers; pg_monitor only makes them more exact."""
    limits = ("--max-lag-bytes", "500000", "--max-lag-seconds", "900")
    for host, answer in (("node2", FIT), ("node1", NO_STANDBY)):
        said = check_active_slave(
            *limits, "psql", "user=plain dbname=postgres", "-h", host, PGPASSWORD=PASSWORDS["plain"]
        )
        assert said == answer
