"""Operator actions on a node: standby drains it, maintenance leaves it unchanged."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director, all_alive
from tests.lab.resource import STANDBYS
from tests.lab.world import World
from tests.support.paths import DATA

RECORDED = DATA / "cib"
GRACE = 21  # seconds: docs/decisions/026
BOTH = {"node2": 1, "node3": 1}


@pytest.fixture
def director(world: World, tmp_path: Path) -> Director:
    """Return a director with two standbys that serve."""
    director = Director(world, tmp_path)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.start(STANDBYS) == BOTH
    return director


def test_a_node_on_standby_gets_nothing_new(director: Director) -> None:
    sessions = director.sessions()
    director.cluster(PRIMARY, STANDBY2._replace(standby=True), STANDBY3)
    assert director.monitor() == {"node2": 0, "node3": 1}
    assert director.client.spread(4) == {"node3": 4}
    assert all_alive(sessions)

    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert director.client.spread(4) == {"node2": 2, "node3": 2}
    assert all_alive(sessions)


def test_a_node_in_maintenance_stays_as_it_is(director: Director) -> None:
    """Pacemaker does not monitor a node in maintenance, so its status means nothing."""
    sessions = director.sessions()
    kept = "node2 kept as it is: node is in maintenance"
    for maintained in (
        STANDBY2._replace(maintenance=True),
        STANDBY2._replace(maintenance=True, status="HS:alone"),
        STANDBY2._replace(maintenance=True, status="STOP", database="Failed"),
    ):
        director.cluster(PRIMARY, maintained, STANDBY3)
        assert director.monitor(degraded=kept) == BOTH
    assert director.client.spread(4) == {"node2": 2, "node3": 2}
    assert all_alive(sessions)

    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert all_alive(sessions)


def test_a_node_in_maintenance_that_did_not_serve_does_not_begin_to(director: Director) -> None:
    director.cluster(PRIMARY._replace(maintenance=True, status="HS:async"), STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert director.client.spread(4) == {"node2": 2, "node3": 2}


def test_recorded_nodes(director: Director) -> None:
    # A resource that is absent may only be out of sight, so node2, the primary, has weight 0.
    director.recorded(RECORDED / "steady.cib.xml")
    for _ in range(2):
        assert director.monitor() == {"node1": 1, "node2": 0, "node3": 1}
    time.sleep(GRACE)
    assert director.monitor() == {"node1": 1, "node3": 1}
    sessions = director.sessions()

    director.recorded(RECORDED / "node3-maintenance.cib.xml")
    assert director.monitor(degraded="node3 kept as it is") == {"node1": 1, "node3": 1}
    assert all_alive(sessions)

    # The cluster stops the database on standby, so no session is left to drain.
    director.recorded(RECORDED / "node3-standby.cib.xml")
    assert director.monitor() == {"node1": 1}
    assert sessions.pop("node3").state() is State.RESET
    assert all_alive(sessions)


def test_a_server_out_of_sight_keeps_sessions_within_the_grace(director: Director) -> None:
    """An absent real server drains until the grace ends, e.g. after `crm_resource --refresh`."""
    sessions = director.sessions()
    director.cluster(PRIMARY, STANDBY2._replace(realsvr=False), STANDBY3)
    assert director.monitor() == {"node2": 0, "node3": 1}
    assert all_alive(sessions)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert all_alive(sessions)

    unseen = [node._replace(realsvr=False) for node in (STANDBY2, STANDBY3)]
    director.cluster(PRIMARY, *unseen)
    assert director.monitor(degraded="keeping the 2 that still serve") == BOTH
    assert all_alive(sessions)
    time.sleep(GRACE)
    assert director.monitor(degraded="none gets new connections") == {}
    assert {session.state() for session in sessions.values()} == {State.RESET}
