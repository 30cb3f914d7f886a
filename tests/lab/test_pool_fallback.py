"""Behaviour while no real server is fit: the fallback, the members that serve, or an empty pool."""

from __future__ import annotations

import time

import pytest
from lvsdr.pool.fallback import FALLBACK_HOLD

from tests.lab.client import State
from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director, all_alive
from tests.lab.resource import STANDBYS
from tests.support.waiting import wait_until

ALONE2, ALONE3 = (node._replace(status="HS:alone") for node in (STANDBY2, STANDBY3))
GONE2, GONE3 = (node._replace(realsvr_failed=True) for node in (STANDBY2, STANDBY3))
WITH_FALLBACK = {**STANDBYS, "fallback_realservers": "node1"}
BOTH = {"node2": 1, "node3": 1}


def test_the_fallback_serves_while_no_server_is_fit_and_then_drains(director: Director) -> None:
    assert director.start(WITH_FALLBACK) == BOTH

    director.cluster(PRIMARY, GONE2, GONE3)
    with director.watched() as seen:
        assert director.monitor(degraded="serving from the fallback node1") == {"node1": 1}
    assert all(sum(weights.values()) > 0 for weights in seen)
    assert director.client.spread(3) == {"node1": 3}
    session = director.client.connect()

    director.cluster(PRIMARY, STANDBY2, GONE3)
    assert director.monitor() == {"node1": 0, "node2": 1}
    assert director.client.spread(3) == {"node2": 3}
    assert director.monitor() == {"node1": 0, "node2": 1}, "it has a session"
    assert session.alive

    session.close()
    director.world.director1.await_rest(director.world.node1)
    assert director.monitor() == {"node2": 1}


def test_standbys_in_a_failover_are_kept_before_the_fallback_is_used(director: Director) -> None:
    """The fallback is the primary, which has just died when every standby is HS:alone."""
    director.start(WITH_FALLBACK)
    sessions = director.sessions()
    director.cluster(PRIMARY, ALONE2, ALONE3)
    assert director.monitor(degraded="keeping the 2 that still serve") == BOTH
    assert director.client.spread(6) == {"node2": 3, "node3": 3}
    assert all_alive(sessions)


def test_standbys_that_fell_behind_drain_beside_the_fallback(director: Director) -> None:
    director.start({**WITH_FALLBACK, "on_empty": "empty"})
    sessions = director.sessions()
    director.cluster(PRIMARY, ALONE2, ALONE3)
    draining = {"node1": 1, "node2": 0, "node3": 0}
    assert director.monitor(degraded="serving from the fallback node1") == draining
    assert director.client.spread(3) == {"node1": 3}
    assert all_alive(sessions)


def test_the_fallback_completes_a_pool_that_is_too_small(director: Director) -> None:
    """A standby that comes and goes does not move the fallback, and no session ends."""
    assert director.start({**WITH_FALLBACK, "fallback_below": 2}) == BOTH
    director.cluster(PRIMARY, STANDBY2, ALONE3)
    lack = "only 1 of the 2 wanted real servers serve: serving from the fallback node1, too"
    assert director.monitor(degraded=lack) == {"node1": 1, "node2": 1, "node3": 0}
    sessions = director.sessions()
    all_three = {"node1": 1, **BOTH}
    for _ in range(2):
        director.cluster(PRIMARY, STANDBY2, STANDBY3)
        assert director.monitor() == all_three
        begun = time.monotonic()
        director.cluster(PRIMARY, STANDBY2, ALONE3)
        assert director.monitor(degraded=lack)["node1"] == 1
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == all_three
    left = {"node1": 0, **BOTH}
    wait_until(director.monitor, left.__eq__, "the fallback to leave", 3 * FALLBACK_HOLD)
    assert time.monotonic() - begun >= FALLBACK_HOLD
    assert director.client.spread(4) == {"node2": 2, "node3": 2}
    assert all_alive(sessions)
    sessions.pop("node1").close()
    director.world.director1.await_rest(director.world.node1)
    assert director.monitor() == BOTH


def test_a_fallback_on_a_lost_node_is_none(director: Director) -> None:
    director.start(WITH_FALLBACK)
    director.cluster(PRIMARY.dead(), GONE2, GONE3)
    assert director.monitor(degraded="none gets new connections") == {}
    with pytest.raises(OSError):  # noqa: PT011  refused at once, or not answered
        director.client.connect()


def test_the_node_of_a_serving_fallback_is_lost(director: Director) -> None:
    director.cluster(PRIMARY, GONE2, GONE3)
    assert director.start(WITH_FALLBACK) == {"node1": 1}
    session = director.client.connect()
    director.cluster(PRIMARY.dead(), GONE2, GONE3)
    assert director.monitor(degraded="none gets new connections") == {}
    assert session.state() is State.RESET


def test_on_empty_empty_leaves_an_empty_pool(director: Director) -> None:
    """No old data is served with on_empty=empty; sessions still may finish."""
    director.start({**STANDBYS, "on_empty": "empty"})
    sessions = director.sessions()
    director.cluster(PRIMARY, ALONE2, ALONE3)
    assert director.monitor(degraded="none gets new connections") == {"node2": 0, "node3": 0}
    assert all_alive(sessions)
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        director.client.connect(timeout=0.5)

    sessions.pop("node2").close()
    director.world.director1.await_rest(director.world.node2)
    assert director.monitor(degraded="none gets new connections") == {"node3": 0}
    assert all_alive(sessions)

    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert all_alive(sessions)
    assert director.client.spread(6) == {"node2": 3, "node3": 3}
