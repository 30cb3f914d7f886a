"""Drills with the primary and with the director: see test_drills.py."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from lvsdr.pacemaker.cluster import Role

from tests.cluster import degradation
from tests.cluster.addresses import NODES, WRITE_VIP
from tests.cluster.drill import Drill, rebuild
from tests.cluster.node import Node
from tests.cluster.observed_state import (
    can_be_promoted,
    directors,
    in_role,
    never_empty,
    pool,
    primary,
    serving,
)
from tests.cluster.timeouts import PATIENCE, TIMEOUT
from tests.support.waiting import wait_until

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 8
OUT, BACK = 12, 60  # intervals of the director's monitor
MOVED = 24  # until another node has taken over; until a monitor has given up
REAL_SERVERS = "lvsdr-realsvr-clone"
GAP = 5  # without any successful new connection, while a lost node comes back

CRM_MON = "/usr/sbin/crm_mon"
HANGS = f"""printf '#!/bin/sh\\nexec sleep 600\\n' >/tmp/hangs
chmod 755 /tmp/hangs
mount --bind /tmp/hangs {CRM_MON}
"""
LAST_CYCLE = "/run/resource-agents/lvsdr-lvsdr.cycle"
MONITOR_TIMEOUT = 30  # seconds, as in the example; see timeouts.py


def test_the_primarys_node_crashes(drill: Drill) -> None:
    cluster, nodes = drill.cluster, drill.nodes
    cluster.wait_for(lambda state: can_be_promoted(state) == sorted(NODES), "scores", PATIENCE)
    drill.happens()
    nodes.primary.crash()
    old = [nodes.primary.name]
    drill.wait_for_state("promoted", lambda state: in_role(state, Role.PROMOTED) not in ([], old))
    promoted = primary(cluster)
    (left,) = (node for node in (nodes.standby, nodes.other) if node is not promoted)
    assert drill.wait_for_pool("withdrawn", left.name).intervals < MOVED
    assert pool(cluster) == {left.name: 1, promoted.name: 0}
    assert drill.clients.on(promoted.name)
    assert not drill.clients.broken()
    drill.clients.leave(promoted.name)
    drill.happens()
    alone = drill.wait_for("drained", lambda: pool(cluster), lambda seen: seen == {left.name: 1})
    assert alone.intervals < OUT
    assert not drill.clients.failures
    rebuild(cluster, nodes.primary)
    drill.happens()
    drill.start(nodes.primary)
    assert drill.wait_until_whole("joined").intervals < BACK
    assert serving(pool(cluster)) == {left.name, nodes.primary.name}
    assert never_empty(drill.seen)
    assert drill.gap() < GAP
    assert not drill.clients.broken()


def test_the_directors_node_crashes(drill: Drill) -> None:
    lost, standby = drill.nodes.director, drill.nodes.standby
    drill.happens()
    lost.crash()
    assert drill.wait_for_pool("moved", standby.name).intervals < MOVED
    assert drill.until_served().intervals < MOVED
    drill.happens()
    drill.start(lost)
    assert drill.wait_until_whole("back").intervals < BACK
    assert set(drill.clients.broken()) == {lost.name}


def test_the_directors_side_loses_the_quorum(drill: Drill) -> None:
    lost, standby = drill.nodes.director, drill.nodes.standby
    others = [node for node in drill.cluster.nodes if node is not lost]
    drill.happens()
    lost.cut_off()
    moved = drill.wait_for_pool("moved", standby.name, seen_by=others)
    assert moved.intervals < MOVED
    gone = drill.wait_for("gone", lambda: directors(drill.cluster), lambda found: lost not in found)
    assert gone.intervals < MOVED
    drill.happens()
    lost.plug_in()
    assert drill.wait_until_whole("back").intervals < BACK
    assert set(drill.clients.broken()) == {lost.name}


def test_crm_mon_hangs(drill: Drill) -> None:
    director, witness = drill.nodes.director, drill.nodes.primary
    before = pool(drill.cluster)
    with monitor_timeout(witness, MONITOR_TIMEOUT):
        wait_for_timing(director, MONITOR_TIMEOUT)
        drill.happens()
        with crm_mon_hangs(director):
            shown = drill.wait_for(
                "degraded", lambda: degradation.degraded(director, witness), bool
            )
            assert shown.intervals < MOVED
            assert "crm_mon" in degradation.reason(witness)
            assert drill.seen == [before]
        drill.happens()
        over = drill.wait_for("over", lambda: not degradation.degraded(director, witness), bool)
        assert over.intervals < MOVED
    degradation.forget(witness)
    drill.wait_until_whole()
    assert drill.seen == [before]
    assert directors(drill.cluster) == [director]
    assert not drill.clients.failures
    assert not drill.clients.broken()


@contextlib.contextmanager
def monitor_timeout(node: Node, seconds: int) -> Iterator[None]:
    """Set the timeout of the director's monitor, which is longer in the other tests."""
    set_timeout(node, seconds)
    try:
        yield
    finally:
        set_timeout(node, TIMEOUT)


def wait_for_timing(director: Node, seconds: int) -> None:
    """Wait for a monitor with this timeout; the watcher's cycles have the time of the last one."""
    show = ["/bin/sh", "-c", f"cat {LAST_CYCLE} || true"]
    wait_until(
        lambda: director.run(show).stdout,
        lambda text: f"\ntiming {seconds}000 " in text,
        f"a monitor with a timeout of {seconds} s",
        PATIENCE,
    )


def set_timeout(node: Node, seconds: int) -> None:
    operation = f'<op id="lvsdr-monitor-interval-5s" timeout="{seconds}s"/>'
    node.run(["cibadmin", "--modify", "--xml-text", operation])


@contextlib.contextmanager
def crm_mon_hangs(node: Node) -> Iterator[None]:
    """Replace crm_mon by a program that prints nothing and hangs."""
    node.run(["/bin/sh", "-euc", HANGS])
    try:
        yield
    finally:
        node.run(["umount", "--lazy", CRM_MON])


def test_a_standby_returns_while_its_sessions_drain(drill: Drill) -> None:
    """The database never stops, but the address leaves its node and comes back."""
    left, other = drill.nodes.standby, drill.nodes.other
    assert drill.clients.on(left.name)  # they keep the drain going
    drill.happens()
    left.standby()
    assert drill.wait_for_pool("out", other.name).intervals < OUT
    # The pool follows before Pacemaker has begun to stop anything.
    drill.wait_for_state(
        "draining", lambda state: in_role(state, Role.STOPPING, REAL_SERVERS) == [left.name]
    )
    left.unstandby()
    drill.wait_for_state("returning", lambda state: not state.nodes[left.name].standby)
    assert in_role(drill.cluster.state(), Role.STOPPING, REAL_SERVERS) == [left.name]
    assert serving(pool(drill.cluster)) == {other.name}
    drill.clients.leave(left.name)
    drill.happens()
    assert drill.wait_until_whole("back").intervals < BACK
    assert never_empty(drill.seen)
    assert not drill.clients.failures
    assert not drill.clients.broken()


# If it was elsewhere, the director would have to move with its own node.
@pytest.mark.parametrize("drill", [Role.PROMOTED], ids=["director stays"], indirect=True)
def test_all_standbys_leave(drill: Drill) -> None:
    cluster, nodes = drill.cluster, drill.nodes
    standbys = (nodes.standby, nodes.other)
    drill.happens()
    for node in standbys:
        drill.clients.leave(node.name)
        node.standby()
    assert drill.wait_for_pool("fallback", WRITE_VIP).intervals < MOVED
    now = drill.happens()
    drill.wait_for(
        "served",
        lambda: drill.clients.servers_since(now)[nodes.primary.name],
        lambda count: count > 2,
    )
    drill.happens()
    for node in standbys:
        node.unstandby()
    assert drill.wait_until_whole("back").intervals < BACK
    assert serving(pool(cluster)) == {node.name for node in standbys}
    assert never_empty(drill.seen)
    assert directors(cluster) == [nodes.director]
    assert not drill.clients.failures
