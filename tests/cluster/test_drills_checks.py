"""Drills with health checks: a real server leaves the pool before Pacemaker knows of its fault.

The same faults without checks are in test_drills.py; the table at the end has both.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import psycopg
import pytest
from lvsdr.pool.check_history import parse_board
from lvsdr.values.facts import parse_facts

from tests.cluster import postgres
from tests.cluster.clients import Session, connect
from tests.cluster.cluster import Cluster
from tests.cluster.drill import Drill
from tests.cluster.observed_state import directors, never_empty, nodes_with
from tests.cluster.postgres import MONITOR, PORT
from tests.cluster.test_drills import BACK, GAP, LOSSES, OUT
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.support.waiting import wait_until

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 4
BUSY = 30.0  # seconds without a free slot: three times as long as a silent server stays in the pool
STATE = "/run/resource-agents/lvsdr-lvsdr.checks"
PASSFILE = "/run/pgpass"
WRITE_PASSFILE = f"umask 077; echo '*:*:*:{MONITOR}:{MONITOR}' >{PASSFILE}"
CONNINFOS = {"tcp": "", "postgres": f"user={MONITOR} dbname=postgres passfile={PASSFILE}"}


@pytest.fixture(scope="module")
def checked(replicated: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the director of the example a health check."""
    check: str = request.param
    for node in replicated.nodes:
        node.run(["/bin/sh", "-c", WRITE_PASSFILE])
    set_check(replicated, check, CONNINFOS[check])
    yield check
    set_check(replicated, "none")


def set_check(cluster: Cluster, check: str, conninfo: str = "") -> None:
    """Change the parameters of the director, and wait until the cluster has settled."""
    parameters = f"realserver_check={check}", f"realserver_check_conninfo={conninfo}"
    cluster.running_node.pcs("resource", "update", "lvsdr", *parameters)
    cluster.settle()


def await_successes(drill: Drill, check: str) -> None:
    """Wait until the last check of each standby has succeeded."""
    standbys = {drill.nodes.standby.name, drill.nodes.other.name}

    def look() -> set[str]:
        text = drill.nodes.director.run(["/bin/sh", "-c", f"cat {STATE} || true"]).stdout
        board = parse_board(parse_facts(text.splitlines()[1:]), f"{check} {PORT}")
        return {host for host, state in board.items() if state.successes}

    wait_until(look, standbys.issubset, "a success of each check", PATIENCE, pause=PAUSE)


@pytest.mark.parametrize(
    ("checked", "loss"),
    [("tcp", "crashes"), ("tcp", "is_cut_off"), ("postgres", "freezes")],
    indirect=["checked"],
)
def test_a_checked_standbys_node(drill: Drill, checked: str, loss: str) -> None:
    lost, other, director = drill.nodes.standby, drill.nodes.other, drill.nodes.director
    await_successes(drill, checked)
    drill.happens()
    LOSSES[loss].begin(lost)
    assert drill.wait_for_pool("out", other.name, seen_by=[director]).intervals < OUT
    drill.wait_for_state(
        "noticed", lambda state: lost.name not in nodes_with(state), seen_by=director
    )
    assert drill.failing().intervals < OUT
    drill.happens()
    LOSSES[loss].end(drill, lost)
    assert drill.wait_until_whole("back").intervals < BACK
    assert drill.gap() < GAP
    assert never_empty(drill.seen)
    assert set(drill.clients.broken()) == {lost.name}


@pytest.mark.parametrize("checked", ["tcp", "postgres"], indirect=True)
def test_a_checked_standbys_database_is_killed(drill: Drill, checked: str) -> None:
    lost = drill.nodes.standby
    await_successes(drill, checked)
    killed = postgres.pid(lost)
    drill.happens()
    postgres.kill(lost)
    drill.wait_for_pool("out", drill.nodes.other.name)
    drill.wait_for("restarted", lambda: postgres.pid(lost), lambda seen: seen not in ("", killed))
    assert drill.wait_until_whole("back").intervals < BACK
    assert drill.failing().intervals < OUT
    assert drill.gap() < GAP
    assert never_empty(drill.seen)
    assert set(drill.clients.broken()) == {lost.name}
    assert directors(drill.cluster) == [drill.nodes.director]


@pytest.mark.parametrize("checked", ["postgres"], indirect=True)
def test_a_checked_standby_without_a_free_slot(drill: Drill, checked: str) -> None:
    full, other = drill.nodes.standby, drill.nodes.other
    await_successes(drill, checked)
    with contextlib.ExitStack() as stack:
        sessions = fill_slots(drill, full.address)
        for session in sessions:
            stack.callback(session.close)
        drill.happens()
        time.sleep(BUSY)
    assert drill.wait_until_whole("free").intervals < BACK
    assert sessions
    assert all({full.name, other.name} <= {*(weights or {})} for weights in drill.seen)
    assert drill.clients.failures  # some new connections were sent there, as without a check
    assert not drill.clients.broken()


def fill_slots(drill: Drill, address: str) -> list[Session]:
    """Open sessions on a server until it refuses another one."""
    sessions: list[Session] = []
    with contextlib.suppress(psycopg.OperationalError):
        while len(sessions) < postgres.SLOTS:
            sessions.append(connect(drill.cluster.client, address))
    return sessions
