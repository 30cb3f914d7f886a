"""Node attributes that give the weight: an administrator drains one real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director, all_alive
from tests.lab.resource import ALL, DEGRADED, EVEN, LISTED, OK, STANDBYS, Resource
from tests.lab.watched import DRAINED, Watched, tidy, until
from tests.lab.world import World
from tests.support import cib

NAME = "lvsdr-weight"
OUTSIDE = {"weight_of_realservers": "10.77.0.21 10.77.0.22 10.77.0.23"}
WITH_FALLBACK = {**STANDBYS, "fallback_realservers": "node1"}
BOTH = {"node2": 1, "node3": 1}


def weighted(node: cib.Node, value: str, name: str = NAME) -> cib.Node:
    """Return the node with an attribute."""
    return node._replace(attributes={**node.attributes, name: value})


def test_0_drains_and_every_session_survives(director: Director) -> None:
    assert director.start(STANDBYS) == BOTH
    sessions = director.sessions()
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, "0"))
    assert director.monitor() == {"node2": 1, "node3": 0}
    assert director.client.spread(4) == {"node2": 4}
    assert director.monitor() == {"node2": 1, "node3": 0}
    assert all_alive(sessions)
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, "3"))
    assert director.monitor() == {"node2": 1, "node3": 3}
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH
    assert all_alive(sessions)


def test_another_director_finds_the_drain(world: World, tmp_path: Path) -> None:
    first = Resource(world.director1, tmp_path, LISTED)
    first.cluster(*ALL[:2], weighted(ALL[2], "0"))
    first.start()
    assert first.pool() == DRAINED
    first.stop()
    second = Resource(world.director2, tmp_path, LISTED)
    second.cluster(*ALL[:2], weighted(ALL[2], "0"))
    second.start()
    assert second.pool() == DRAINED
    second.stop()


@pytest.mark.parametrize("value", ["ten", "", "65536", "-1"])
def test_a_value_that_is_no_weight_changes_nothing(director: Director, value: str) -> None:
    director.start(STANDBYS)
    sessions = director.sessions()
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, value))
    reason = f"{NAME} of node3 is {value!r}: must be a weight from 0 to 65535"
    assert director.monitor(degraded=reason) == BOTH
    assert director.monitor(degraded="node3 kept as it is: its weight is not known") == BOTH
    assert all_alive(sessions)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    assert director.monitor() == BOTH


def test_a_wrong_value_does_not_undo_a_drain(director: Director) -> None:
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, "0"))
    assert director.start(STANDBYS) == {"node2": 1, "node3": 0}
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, "O"))
    assert director.monitor(degraded=NAME) == {"node2": 1, "node3": 0}
    director.cluster(PRIMARY, STANDBY2, weighted(STANDBY3, "O")._replace(realsvr_failed=True))
    assert director.monitor(degraded=NAME) == {"node2": 1}, "a failure is another reason"


def test_a_standby_outside_is_drained_by_an_attribute_of_any_node(director: Director) -> None:
    assert director.start(OUTSIDE) == EVEN
    sessions = director.sessions()
    name = f"{NAME}@10.77.0.23"
    director.cluster(weighted(PRIMARY, "0", name), STANDBY2, STANDBY3)
    assert director.monitor() == DRAINED
    director.cluster(weighted(PRIMARY, "0", name), weighted(STANDBY2, "0", name), STANDBY3)
    assert director.monitor() == DRAINED
    director.cluster(weighted(PRIMARY, "0", name), weighted(STANDBY2, "5", name), STANDBY3)
    several = f"{name} has several values: '0' of node1, '5' of node2"
    assert director.monitor(degraded=several) == DRAINED
    assert all_alive(sessions)


def test_a_drain_outlives_the_node_of_its_attribute(world: World, tmp_path: Path) -> None:
    """The node that fails may be the director's, where the administrator ran the command."""
    pair = f'<nvpair id="weight-23" name="{NAME}@10.77.0.23" value="0"/>'
    section = '<instance_attributes id="nodes-1">'
    first = Resource(world.director1, tmp_path, {**LISTED, **OUTSIDE})
    second = Resource(world.director2, tmp_path, {**LISTED, **OUTSIDE})
    for lvs, nodes in ((first, ALL), (second, (ALL[0].dead(), *ALL[1:]))):
        lvs.cluster(*nodes)
        lvs.cib.write_text(lvs.cib.read_text().replace(section, section + pair))
        lvs.start()
        assert lvs.pool() == DRAINED
        assert lvs.monitor().exit_code == OK
        lvs.stop()


def test_an_attribute_of_no_real_server_is_logged_once(world: World, tmp_path: Path) -> None:
    """An attribute of a standby that is no real server now, or of another service, is in order."""
    lvs = Resource(world.director1, tmp_path, LISTED)
    lvs.start()
    lvs.cluster(*ALL[:2], weighted(ALL[2], "0", f"{NAME}@10.77.0.99"))
    first, second = lvs.monitor(), lvs.monitor()
    note = f"{NAME}@10.77.0.99 of node3 has no effect now: 10.77.0.99 is no real server"
    assert (first.exit_code, second.exit_code) == (OK, OK)
    assert note in first.stderr
    assert note not in second.stderr
    lvs.cluster(*ALL[:2], weighted(ALL[2], "0", f"{NAME}@node2"))
    assert lvs.monitor().exit_code == DEGRADED, "node2 is not drained by this"
    assert lvs.pool() == EVEN
    lvs.stop()


def test_the_log_names_the_attribute(world: World, tmp_path: Path) -> None:
    lvs = Resource(world.director1, tmp_path, LISTED)
    lvs.start()
    lvs.cluster(*ALL[:2], weighted(ALL[2], "0"))
    said = lvs.monitor().stderr
    assert "node3 (10.77.0.23) weight changed from 1 to 0: attribute lvsdr-weight gives 0" in said
    lvs.stop()


def test_the_last_one_that_is_drained_stays_drained(director: Director) -> None:
    """Without a fallback none serves: an administrator's command is not undone."""
    director.start(STANDBYS)
    sessions = director.sessions()
    director.cluster(PRIMARY, weighted(STANDBY2, "0"), weighted(STANDBY3, "0"))
    empty = {"node2": 0, "node3": 0}
    assert director.monitor(degraded="every fit real server has weight 0: none gets") == empty
    assert all_alive(sessions)
    alone = [weighted(it, "0")._replace(status="HS:alone") for it in (STANDBY2, STANDBY3)]
    director.cluster(PRIMARY, *alone)
    assert director.monitor(degraded="none gets new connections") == empty
    assert all_alive(sessions)


def test_the_fallback_serves_while_all_others_are_drained(director: Director) -> None:
    director.start(WITH_FALLBACK)
    sessions = director.sessions()
    drained = weighted(STANDBY2, "0"), weighted(STANDBY3, "0")
    director.cluster(PRIMARY, *drained)
    degraded = "every fit real server has weight 0: serving from the fallback node1"
    assert director.monitor(degraded=degraded) == {"node1": 1, "node2": 0, "node3": 0}
    assert all_alive(sessions)
    director.cluster(weighted(PRIMARY, "0"), *drained)
    session = director.client.connect()
    weights = director.monitor(degraded="none gets new connections")
    assert weights == {"node1": 0, "node2": 0, "node3": 0}
    assert session.state() is State.ALIVE


def test_the_watcher_drains_at_once(world: World, tmp_path: Path) -> None:
    lvs = Watched(world.director1, tmp_path, {**LISTED, "watch": "true"})
    lvs.begin_watched()
    lvs.cluster(*ALL[:2], weighted(ALL[2], "0"))
    print(f"drained after {until(lambda: lvs.pool() == DRAINED, 'the drain'):.1f} s")
    lvs.cluster(*ALL)
    until(lambda: lvs.pool() == EVEN, "the weight to return")
    tidy(lvs)


def test_0_drains_a_node_in_maintenance_too(director: Director) -> None:
    """An administrator works there: the state of the node is unknown, and the command is clear."""
    director.start(STANDBYS)
    sessions = director.sessions()
    busy = STANDBY3._replace(maintenance=True)
    director.cluster(PRIMARY, STANDBY2, busy)
    assert director.monitor(degraded="node3 kept as it is") == BOTH
    director.cluster(PRIMARY, STANDBY2, weighted(busy, "0"))
    assert director.monitor() == {"node2": 1, "node3": 0}
    assert director.monitor() == {"node2": 1, "node3": 0}
    assert all_alive(sessions)
