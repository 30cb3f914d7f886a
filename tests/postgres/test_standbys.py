"""get_active_slaves: the active standbys of a primary, and clients that only look like standbys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres.server import BIN
from tests.postgres.tool import Tool, ToolResult, running
from tests.postgres.world import PASSWORDS, PRIMARY, World
from tests.support.waiting import wait_until
from tests.unit.crm import cib

PRIMARY_CONNINFO = f"host={PRIMARY} user=monitor password={PASSWORDS['monitor']} dbname=postgres"
ALL = ToolResult(0, "10.66.0.14 node2 node3\n", "")
BUT_NODE3 = ToolResult(0, "10.66.0.14 node2\n", "")


def streams(world: World, name: str, more: str = "true") -> bool:
    """Return whether a walsender of that name is streaming."""
    return world.primary.says(
        "count(*) > 0 FROM pg_stat_replication"
        f" WHERE application_name = '{name}' AND state = 'streaming' AND {more}"
    )


@pytest.mark.parametrize(
    ("synchronous", "states"),
    [
        ("", {"node2": "async", "node3": "async", "10.66.0.14": "async"}),
        ("1 (node2, node3)", {"node2": "sync", "node3": "potential", "10.66.0.14": "async"}),
        ("ANY 1 (node2, node3)", {"node2": "quorum", "node3": "quorum", "10.66.0.14": "async"}),
    ],
    ids=["async", "sync", "quorum"],
)
def test_every_kind_of_standby_counts(
    synchronous: str, states: dict[str, str], world: World, get_active_slaves: Tool
) -> None:
    world.primary.set("synchronous_standby_names", synchronous)
    try:
        statement = "SELECT application_name, sync_state FROM pg_stat_replication"
        wait_until(
            lambda: dict(world.primary.sql(statement)) == states, description=f"states {states}"
        )
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL
    finally:
        world.primary.set("synchronous_standby_names", "")


def test_a_standby_that_died(world: World, get_active_slaves: Tool) -> None:
    world.standbys["node3"].kill()
    try:
        wait_until(lambda: not streams(world, "node3"), description="the primary to notice")
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == BUT_NODE3
    finally:
        world.standbys["node3"].start()


def test_a_standby_that_takes_no_connections_is_listed(
    world: World, get_active_slaves: Tool, check_active_slave: Tool
) -> None:
    """The primary cannot see hot_standby=off; the documentation recommends the check script."""
    standby = world.standbys["node3"]
    standby.sql("ALTER SYSTEM SET hot_standby = off")
    standby.kill()
    standby.start_without_waiting()
    try:
        world.settle()
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL
        login = PRIMARY_CONNINFO.replace(PRIMARY, "node3")
        assert check_active_slave("psql", login)[:2] == (1, "f\n")
    finally:
        standby.kill()
        standby.forget("hot_standby")
        standby.start()


@pytest.mark.parametrize("name", ["pg_receivewal", "10.66.0.19"])
def test_pg_receivewal_is_no_standby(
    name: str, world: World, get_active_slaves: Tool, tmp_path: Path
) -> None:
    source = f"{PRIMARY_CONNINFO.replace(' dbname=postgres', '')} application_name={name}"
    with running(BIN / "pg_receivewal", "-d", source, "-D", tmp_path):
        wait_until(lambda: streams(world, name), description="pg_receivewal to stream")
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL


def test_a_base_backup_is_no_standby(world: World, get_active_slaves: Tool, tmp_path: Path) -> None:
    """A base backup has two walsenders, and the one that streams WAL until its end looks alive."""
    options = ("-X", "stream", "--max-rate=32k", "-c", "fast")
    source = ("-h", PRIMARY, "-U", "monitor", "-D", tmp_path / "backup")
    password = PASSWORDS["monitor"]
    with running(BIN / "pg_basebackup", *source, *options, PGPASSWORD=password):
        wait_until(lambda: streams(world, "pg_basebackup"), description="the backup to stream")
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL


def test_a_subscriber_is_no_standby(world: World, get_active_slaves: Tool) -> None:
    """A subscriber streams and reports its replay position, under any name."""
    primary = world.primary
    primary.sql("CREATE DATABASE elsewhere")
    primary.sql("CREATE PUBLICATION nothing")
    primary.sql("SELECT pg_create_logical_replication_slot('elsewhere', 'pgoutput')")
    primary.sql(
        f"CREATE SUBSCRIPTION elsewhere CONNECTION 'host={primary.home} dbname=postgres"
        " user=postgres application_name=10.66.0.19' PUBLICATION nothing"
        " WITH (create_slot = false)",
        dbname="elsewhere",
    )
    try:
        replays = "replay_lsn IS NOT NULL"
        wait_until(
            lambda: streams(world, "10.66.0.19", replays), description="the subscriber to stream"
        )
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL
    finally:
        primary.sql("DROP SUBSCRIPTION elsewhere", dbname="elsewhere")
        primary.sql("DROP PUBLICATION nothing")
        primary.sql("DROP DATABASE elsewhere")


@pytest.mark.parametrize(
    ("arguments", "with_cluster", "listed"),
    [
        ((), False, "10.66.0.14 elsewhere node2\n"),
        ((), True, "10.66.0.14 node2\n"),
        (("--node", "elsewhere", "--node", "NODE2"), True, "elsewhere NODE2\n"),
        (("--nodes", "node1, node2 node3,elsewhere"), False, "elsewhere node2\n"),
        (("--nodes", "10.66.0.14"), True, "10.66.0.14\n"),
        (("--nodes", "node1"), False, "\n"),
    ],
)
def test_names_of_nodes_and_arguments_count(
    arguments: tuple[str, ...],
    with_cluster: bool,
    listed: str,
    world: World,
    get_active_slaves: Tool,
) -> None:
    """Names are matched with the cluster's nodes node1 to node3, or with the arguments.

    One standby has another name.
    """
    standby = world.standbys["node3"]
    ((conninfo,),) = standby.sql("SHOW primary_conninfo")
    standby.set("primary_conninfo", conninfo.replace("node3", "elsewhere"))
    try:
        wait_until(
            lambda: streams(world, "elsewhere", "replay_lsn IS NOT NULL"),
            description="elsewhere to stream",
        )
        environ = {"CIB_file": str(cib("steady"))} if with_cluster else {}
        said = get_active_slaves("psql", PRIMARY_CONNINFO, *arguments, **environ)
        assert said == ToolResult(0, listed, "")
    finally:
        standby.set("primary_conninfo", conninfo)


@pytest.mark.usefixtures("world")
def test_a_cluster_without_an_answer_lists_no_standby(
    get_active_slaves: Tool,
) -> None:
    said = get_active_slaves("psql", PRIMARY_CONNINFO, CIB_file="/nonexistent")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("crm_mon: ")


@pytest.mark.usefixtures("world")
def test_verbose_names_the_omitted_standbys(get_active_slaves: Tool) -> None:
    said = get_active_slaves("psql", PRIMARY_CONNINFO, "--verbose", "--nodes", "node2 node3")
    assert said == ToolResult(0, "node2 node3\n", "left out: '10.66.0.14': matches no known host")


def test_lag_in_bytes(world: World, get_active_slaves: Tool) -> None:
    limit = ("--max-lag-bytes", "500000")
    assert get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == ALL
    with world.paused("node3"):
        wait_until(
            lambda: get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == BUT_NODE3,
            description="lag",
        )
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL
        assert get_active_slaves("psql", PRIMARY_CONNINFO, "--max-lag-bytes", "9000000") == ALL


def test_lag_in_seconds(world: World, get_active_slaves: Tool) -> None:
    limit = ("--max-lag-seconds", "1")
    assert get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == ALL
    old = "backend_start < now() - interval '3 s'"
    wait_until(
        lambda: streams(world, "node3", old), description="a walsender that has measured something"
    )
    with world.paused("node3"):
        wait_until(
            lambda: get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == BUT_NODE3,
            description="lag",
        )
        assert get_active_slaves("psql", PRIMARY_CONNINFO, "--max-lag-seconds", "900") == ALL


@contextlib.contextmanager
def away(world: World, name: str) -> Iterator[None]:
    """Keep a standby from connecting to its primary."""
    world.primary.sql("ALTER ROLE monitor NOLOGIN")
    try:
        world.primary.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_replication"
            f" WHERE application_name = '{name}'"
        )
        wait_until(lambda: not streams(world, name), description=f"{name} to be away")
        yield
    finally:
        world.primary.sql("ALTER ROLE monitor LOGIN")


def test_a_returned_standby_lags_more_than_its_walsender_reports(
    world: World, get_active_slaves: Tool
) -> None:
    """A returned standby has received all WAL, but does not replay it.

    Its replay_lag is the time since then.
    """
    standby = world.standbys["node3"]
    limit = ("--max-lag-seconds", "60", "--timeout", "3")
    world.write()
    world.settle()
    with psycopg.connect(host=str(standby.home), user="postgres", dbname="postgres") as reader:
        with away(world, "node3"):
            reader.execute("SELECT count(*) FROM written")
            world.primary.sql("LOCK TABLE written; INSERT INTO written DEFAULT VALUES")
        measured = "replay_lag > '0' AND replay_lsn < pg_current_wal_flush_lsn()"
        wait_until(lambda: streams(world, "node3", measured), description="something to replay")
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ALL
        assert get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == BUT_NODE3
    world.settle()
    assert get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == ALL


@pytest.mark.parametrize("limit", [("--max-lag-bytes", "500000"), ("--max-lag-seconds", "1")])
def test_a_frozen_standby_is_behind_as_soon_as_something_is_written(
    limit: tuple[str, str], world: World, get_active_slaves: Tool
) -> None:
    """The walsender of a frozen standby still streams, and shows the last measured lag."""
    with world.standbys["node3"].frozen():
        world.write()
        wait_until(
            lambda: get_active_slaves("psql", PRIMARY_CONNINFO, *limit) == BUT_NODE3,
            description="lag",
        )


@pytest.mark.usefixtures("world")
def test_a_standby_is_not_queried_for_standbys(get_active_slaves: Tool) -> None:
    said = get_active_slaves("psql", PRIMARY_CONNINFO, "-h", "node2")
    assert said == ToolResult(1, "", "the server is in recovery: a standby, not the primary")


@pytest.mark.usefixtures("world")
def test_a_role_that_may_not_see_walsenders_gets_an_error(get_active_slaves: Tool) -> None:
    """Without pg_monitor the server shows only the names of walsenders, which is no empty list."""
    environ = {"PGPASSWORD": PASSWORDS["plain"]}
    said = get_active_slaves("psql", f"host={PRIMARY} user=plain dbname=postgres", **environ)
    assert said == ToolResult(
        1,
        "",
        "role plain may not see the state of walsenders: GRANT pg_monitor TO plain",
    )


def test_a_role_is_named_as_a_statement_needs_it(world: World, get_active_slaves: Tool) -> None:
    world.primary.sql('CREATE ROLE "Mixed Case" LOGIN')
    try:
        string = f"host={world.primary.home} user='Mixed Case' dbname=postgres"
        said = get_active_slaves("psql", string)
        assert said.status == 1
        assert said.err.endswith(': GRANT pg_monitor TO "Mixed Case"')
    finally:
        world.primary.sql('DROP ROLE "Mixed Case"')


def test_no_standby_at_all_is_an_empty_list(world: World, get_active_slaves: Tool) -> None:
    for standby in world.standbys.values():
        standby.kill()
    try:
        statement = "count(*) = 0 FROM pg_stat_replication"
        wait_until(lambda: world.primary.says(statement), description="the primary to notice")
        assert get_active_slaves("psql", PRIMARY_CONNINFO) == ToolResult(0, "\n", "")
    finally:
        for standby in world.standbys.values():
            standby.start()
