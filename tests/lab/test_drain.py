"""Sessions outlive every change of the list, and those of a withdrawn real server may finish."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.director import Director, all_alive
from tests.lab.resource import STANDBYS
from tests.lab.world import World
from tests.support import cib

NODE1, NODE2, NODE3 = (cib.Node(name) for name in ("node1", "node2", "node3"))
LAGGING = NODE1._replace(status="HS:alone")
EVERYBODY = {"node1": 1, "node2": 1, "node3": 1}
WITHDRAWN = {"node1": 0, "node2": 1, "node3": 1}
WITHOUT = {"node2": 1, "node3": 1}


@pytest.fixture
def director(world: World, tmp_path: Path) -> Director:
    """Return a director with three standbys; the primary is outside of the cluster."""
    director = Director(world, tmp_path)
    director.cluster(NODE1, NODE2, NODE3)
    return director


def test_a_withdrawn_real_server_goes_once_it_is_idle(director: Director) -> None:
    assert director.start(STANDBYS) == EVERYBODY
    sessions = director.sessions()

    director.cluster(LAGGING, NODE2, NODE3)
    assert director.monitor() == WITHDRAWN
    assert all_alive(sessions)
    assert director.client.spread(6) == {"node2": 3, "node3": 3}

    assert director.monitor() == WITHDRAWN, "it has a session"
    assert all_alive(sessions)

    sessions.pop("node1").close()
    director.world.director1.await_rest(director.world.node1)
    assert director.monitor() == WITHOUT
    assert all_alive(sessions)

    director.cluster(NODE1, NODE2, NODE3)
    assert director.monitor() == EVERYBODY
    assert all_alive(sessions)
    assert director.client.spread(6) == {"node1": 2, "node2": 2, "node3": 2}


def test_a_real_server_that_returns_in_time_keeps_its_sessions(director: Director) -> None:
    director.start(STANDBYS)
    sessions = director.sessions()
    director.cluster(LAGGING, NODE2, NODE3)
    assert director.monitor() == WITHDRAWN
    director.cluster(NODE1, NODE2, NODE3)
    assert director.monitor() == EVERYBODY
    assert all_alive(sessions)
    assert director.client.spread(6) == {"node1": 2, "node2": 2, "node3": 2}


def test_sessions_outlive_every_change_of_the_parameters(director: Director) -> None:
    """Sessions last while their real server stays, however it is named, weighted or chosen."""
    director.start(STANDBYS)
    sessions = director.sessions()
    withdrawn = sessions.pop("node1")

    two, weighted = "node2 node3", {"node2": 2, "node3": 5}
    assert director.reload({"weight_of_realservers": two}) == WITHDRAWN
    assert all_alive(sessions)
    assert withdrawn.alive
    assert director.update(weight_of_realservers="node2,2 node3,5") == {"node1": 0, **weighted}
    assert director.update(virtual_service_options="-s wrr") == {"node1": 0, **weighted}
    assert all_alive(sessions)
    assert withdrawn.alive
    assert director.update(drain_timeout=0) == weighted
    assert all_alive(sessions)
    assert withdrawn.state() is State.RESET
    assert director.reload({"realserver_dependent_resource": "pgsql-clone"}) == EVERYBODY
    assert all_alive(sessions)


def test_the_time_to_drain_is_limited(director: Director) -> None:
    """drain_timeout may be set during a drain: the time since the withdrawal counts."""
    director.start({**STANDBYS, "drain_timeout": "never"})
    sessions = director.sessions()
    director.cluster(LAGGING, NODE2, NODE3)
    assert director.monitor() == WITHDRAWN
    time.sleep(1)
    assert director.monitor() == WITHDRAWN, "it may wait for ever"
    assert all_alive(sessions)

    assert director.update(drain_timeout="1s") == WITHOUT
    assert sessions.pop("node1").state() is State.RESET
    assert all_alive(sessions)


def test_the_time_to_drain_runs_from_the_withdrawal_on(director: Director) -> None:
    director.start({**STANDBYS, "drain_timeout": "1s"})
    sessions = director.sessions()
    director.cluster(LAGGING, NODE2, NODE3)
    assert director.monitor() == WITHDRAWN
    assert all_alive(sessions)
    time.sleep(1)
    assert director.monitor() == WITHOUT
    assert sessions.pop("node1").state() is State.RESET
    assert all_alive(sessions)


def test_without_time_to_drain_it_goes_at_once(director: Director) -> None:
    director.start({**STANDBYS, "drain_timeout": 0})
    sessions = director.sessions()
    director.cluster(LAGGING, NODE2, NODE3)
    assert director.monitor() == WITHOUT
    assert sessions.pop("node1").state() is State.RESET
    assert all_alive(sessions)


@pytest.fixture
def remembering(director: Director) -> Iterator[Director]:
    """Yield a director that remembers connections as long as the kernel does by default."""
    with director.world.director1.remembering_for(120):
        yield director


def test_a_session_that_is_half_closed_may_finish(remembering: Director) -> None:
    """The client has shut down its sending direction, and still reads."""
    director = remembering
    director.start(STANDBYS)
    session = director.sessions()["node1"]
    session.echo("stay")
    session.shut_down()
    director.cluster(LAGGING, NODE2, NODE3)
    for _ in range(3):
        assert director.monitor() == WITHDRAWN
    assert director.table()["node1"].active == 0
    director.world.servers.say_farewell("node1")
    assert session.rest() == "bye\n"
