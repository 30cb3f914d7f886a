"""Drills with a database: the effects on clients, and the time until the pool is right.

The configuration is examples/4-roles.sh. Every drill begins and ends in a whole cluster. Its bounds
are in intervals of the director's monitor, with room for a guest that shares its processor.

The cluster has no fencing. Pacemaker shows the former resources of a lost node that returns, until
the node has joined. So the director may send clients to a database that does not run. Every other
new connection may fail while a lost node comes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.cluster import postgres
from tests.cluster.clients import connect
from tests.cluster.drill import Drill
from tests.cluster.node import Node
from tests.cluster.observed_state import never_empty, nodes_with

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 7
OUT, BACK = 12, 60  # intervals: until the server gets no new connections; until it serves again
RECOVERED = 96  # until a killed primary is promoted again
GAP = 5  # without any successful new connection


class Loss(NamedTuple):
    """Loss of a standby, and its return."""

    begin: Callable[[Node], None]
    end: Callable[[Drill, Node], None]


LOSSES = {
    "crashes": Loss(Node.crash, Drill.start),
    "freezes": Loss(Node.freeze, lambda _, node: node.thaw()),
    "is_cut_off": Loss(Node.cut_off, lambda _, node: node.plug_in()),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_standbys_node(drill: Drill, loss: Loss) -> None:
    lost, other = drill.nodes.standby, drill.nodes.other
    drill.happens()
    loss.begin(lost)
    assert drill.wait_for_pool("out", other.name).intervals < OUT
    assert drill.failing().intervals < OUT
    drill.happens()
    loss.end(drill, lost)
    assert drill.wait_until_whole("back").intervals < BACK
    assert drill.gap() < GAP
    assert never_empty(drill.seen)
    assert set(drill.clients.broken()) == {lost.name}


def test_a_standbys_database_is_killed(drill: Drill) -> None:
    lost = drill.nodes.standby
    killed = postgres.pid(lost)
    drill.happens()
    postgres.kill(lost)
    drill.wait_for("restarted", lambda: postgres.pid(lost), lambda seen: seen not in ("", killed))
    assert drill.wait_until_whole("back").intervals < BACK
    assert drill.failing().intervals < OUT
    assert drill.gap() < GAP
    assert never_empty(drill.seen)
    assert set(drill.clients.broken()) == {lost.name}


def test_the_primarys_database_is_killed(drill: Drill) -> None:
    """The agent recovers the killed primary on its node, temporarily as a standby."""
    primary = drill.nodes.primary
    killed = postgres.pid(primary)
    drill.happens()
    postgres.kill(primary)
    drill.wait_for(
        "restarted", lambda: postgres.pid(primary), lambda seen: seen not in ("", killed)
    )
    assert drill.wait_until_whole("promoted").intervals < RECOVERED
    assert never_empty(drill.seen)
    assert not drill.clients.failures
    assert not drill.clients.broken()


def test_a_standby_goes_on_standby_while_a_query_runs(drill: Drill) -> None:
    left, other = drill.nodes.standby, drill.nodes.other
    holder, session = connect(drill.cluster.client, left.address), drill.session_on(left)
    holder.ask("select pg_advisory_lock(1)")
    session.send("select 'done' from pg_advisory_lock(1)")  # runs until the holder leaves
    drill.clients.leave(left.name)
    drill.happens()
    left.standby()
    assert drill.wait_for_pool("out", other.name).intervals < OUT
    out = time.monotonic()
    assert session.waits
    holder.close()
    assert session.answer() == "done"
    session.close()
    drill.wait_for_state("stopped", lambda state: left.name not in nodes_with(state))
    assert drill.clients.servers_since(out).keys() == {other.name}
    drill.happens()
    left.unstandby()
    assert drill.wait_until_whole("back").intervals < BACK
    assert not drill.clients.failures
    assert not drill.clients.broken()
