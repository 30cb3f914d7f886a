"""Connections are distributed as the weights say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.cases import PRIMARY, STANDBY2, STANDBY3, Director
from tests.lab.world import World


@pytest.fixture
def director(world: World, tmp_path: Path) -> Director:
    director = Director(world, tmp_path)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    return director


def test_every_real_server_gets_its_turn(director: Director) -> None:
    assert director.start({}) == {"node1": 1, "node2": 1, "node3": 1}
    assert director.client.spread(30) == {"node1": 10, "node2": 10, "node3": 10}


def test_connections_are_distributed_by_weight(director: Director) -> None:
    weighted = {"virtual_service_options": "-s wrr", "weight_of_realservers": "node1,3 node2,1"}
    assert director.start(weighted) == {"node1": 3, "node2": 1}
    assert director.client.spread(40) == {"node1": 30, "node2": 10}

    # Listed without a weight: the default weight.
    weights = director.update(weight_of_realservers="node1,3 node2 node3,1", default_weight=2)
    assert weights == {"node1": 3, "node2": 2, "node3": 1}
    assert director.client.spread(24) == {"node1": 12, "node2": 8, "node3": 4}

    # Present, but nothing new for it.
    assert director.update(weight_of_realservers="node1,0 node2 node3,1")["node1"] == 0
    assert director.client.spread(12) == {"node2": 8, "node3": 4}

    # No weights at all, whatever the scheduler: all members alike.
    assert director.update(weight_of_realservers="", default_weight="") == {
        "node1": 1,
        "node2": 1,
        "node3": 1,
    }
    assert director.client.spread(12) == {"node1": 4, "node2": 4, "node3": 4}
