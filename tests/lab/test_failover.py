"""The pool continues with the remaining real servers if a primary or a whole node fails."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.director import Director, Weights, all_alive
from tests.lab.resource import STANDBYS
from tests.lab.world import World
from tests.support import cib
from tests.support.fabric import FABRIC
from tests.support.namespaces import entered
from tests.support.paths import DATA
from tests.support.processes import run

RECORDED = DATA / "cib" / "failover"
BOTH = {"node2": 1, "node3": 1}
ONE = {"node3": 1}
GRACE = 30  # seconds, and a few more: docs/decisions/026
NOBODY_STREAMS = "no real server is fit: keeping the"

# Real servers that get new connections. The primary on node1 is killed at 0 ms. Both standbys lose
# their source at once, which makes them HS:alone. node2 is promoted, and is no real server any
# more. node3 streams from it at the very end.
TIMELINE: list[tuple[str, Weights, str | None]] = [
    ("00175ms", BOTH, None),
    ("02251ms", BOTH, NOBODY_STREAMS),
    ("02655ms", BOTH, NOBODY_STREAMS),
    ("03934ms", BOTH, NOBODY_STREAMS),
    ("05082ms", BOTH, NOBODY_STREAMS),
    ("16427ms", ONE, NOBODY_STREAMS),
    ("16735ms", ONE, NOBODY_STREAMS),
    ("17830ms", ONE, NOBODY_STREAMS),
    ("18495ms", ONE, NOBODY_STREAMS),
    ("25620ms", ONE, None),
]


@pytest.fixture
def director(world: World, tmp_path: Path) -> Director:
    return Director(world, tmp_path)


def test_the_pool_outlives_a_recorded_failover(director: Director) -> None:
    director.recorded(RECORDED / "00175ms.cib.xml")
    assert director.start(STANDBYS) == BOTH
    sessions = director.sessions()

    print("\n  after    weights                       new connections")
    with director.watched() as seen:
        for state, expected, degraded in TIMELINE:
            director.recorded(RECORDED / f"{state}.cib.xml")
            weights = director.monitor(degraded=degraded)
            spread = director.client.spread(6)
            print(f"  {state}  {weights!s:<28}  {dict(sorted(spread.items()))}")
            assert {host: weight for host, weight in weights.items() if weight} == expected
            assert spread == {host: 6 // len(expected) for host in expected}
            assert sessions["node3"].alive

    assert all(sum(weights.values()) > 0 for weights in seen)
    # A resource that is absent on node2 may only be out of sight, so it has a grace period.
    for _ in range(GRACE):
        if director.monitor() == ONE:
            break
        time.sleep(1)
    assert sessions["node2"].state() is State.RESET, "its real server became the primary"


def test_a_lost_node_goes_at_once_and_its_clients_know(director: Director) -> None:
    node1, node2, node3 = (cib.Node(name) for name in ("node1", "node2", "node3"))
    director.cluster(node1, node2, node3)
    assert director.start(STANDBYS) == {"node1": 1, **BOTH}
    sessions = director.sessions()
    lost = sessions.pop("node2")
    unplug("node2")
    try:
        assert lost.state(timeout=0.3) is State.SILENT
        director.cluster(node1, node2.dead(), node3)
        assert director.monitor() == {"node1": 1, "node3": 1}
        assert lost.state(timeout=30) is State.RESET  # when the client sends again
        assert all_alive(sessions)
        assert director.client.spread(6) == {"node1": 3, "node3": 3}
    finally:
        plug("node2")

    director.cluster(node1, node2, node3)
    assert director.monitor() == {"node1": 1, **BOTH}
    assert all_alive(sessions)
    assert director.client.spread(6) == {"node1": 2, "node2": 2, "node3": 2}


def unplug(host: str) -> None:
    """Disconnect a host: nothing answers any more, as after a loss of power."""
    with entered(FABRIC):
        run(["ip", "link", "set", host, "nomaster"])


def plug(host: str) -> None:
    with entered(FABRIC):
        run(["ip", "link", "set", host, "master", "bridge"])
