"""Connections are distributed as the weights say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab import client
from tests.lab.director import Director
from tests.lab.host import VIP
from tests.lab.world import World
from tests.support import cib


def test_every_real_server_gets_its_turn(director: Director) -> None:
    assert director.start({}) == {"node1": 1, "node2": 1, "node3": 1}
    assert director.client.spread(30) == {"node1": 10, "node2": 10, "node3": 10}


def test_connections_are_distributed_by_weight(director: Director) -> None:
    weighted = {"virtual_service_options": "-s wrr", "weight_of_realservers": "node1,3 node2,1"}
    assert director.start(weighted) == {"node1": 3, "node2": 1}
    assert director.client.spread(40) == {"node1": 30, "node2": 10}

    # A real server that is listed without a weight has the default weight.
    weights = director.update(weight_of_realservers="node1,3 node2 node3,1", default_weight=2)
    assert weights == {"node1": 3, "node2": 2, "node3": 1}
    assert director.client.spread(24) == {"node1": 12, "node2": 8, "node3": 4}

    # Weight 0 keeps it in the table, without new connections.
    assert director.update(weight_of_realservers="node1,0 node2 node3,1")["node1"] == 0
    assert director.client.spread(12) == {"node2": 8, "node3": 4}

    # Without any weights all members have weight 1, with every scheduler.
    assert director.update(weight_of_realservers="", default_weight="") == {
        "node1": 1,
        "node2": 1,
        "node3": 1,
    }
    assert director.client.spread(12) == {"node1": 4, "node2": 4, "node3": 4}


# The schedulers below choose by the client's address, or by the service's address alone (dh).
SOURCES = [f"10.77.0.{number}" for number in range(140, 180)]
EVEN = {"node1": 1, "node2": 1, "node3": 1}
STATUS = {
    "realserver_dependent_resource": "pgsql-clone",
    "realserver_dependent_attribute_name": "pgsql-status",
    "realserver_dependent_attribute_value": "HS:sync|HS:async",
}


@pytest.fixture
def sources(world: World) -> Iterator[list[str]]:
    """Yield addresses that the client has during a test."""
    world.client.ip([f"addr add {source}/24 dev eth0" for source in SOURCES])
    yield SOURCES
    world.client.ip([f"addr del {source}/24 dev eth0" for source in SOURCES])


def without(name: str) -> list[cib.Node]:
    """Return three standbys of which the named one is not fit for reads."""
    nodes = [cib.Node(node) for node in EVEN]
    return [node._replace(status="HS:alone") if node.name == name else node for node in nodes]


@pytest.mark.parametrize("options", ["-s sh", "-s mh -b mh-port", "-s sh -p 60"])
def test_clients_of_a_withdrawn_real_server_get_another(
    director: Director, sources: list[str], options: str
) -> None:
    director.cluster(*without(""))
    assert director.start({**STATUS, "virtual_service_options": options}) == EVEN
    session = director.client.connect()
    director.cluster(*without(session.host))
    assert director.monitor() == {**EVEN, session.host: 0}
    assert client.refused("client", VIP, sources) == []
    assert session.alive


def test_a_service_that_refuses_gets_the_flag_online(
    director: Director, sources: list[str]
) -> None:
    director.cluster(*without(""))
    director.start({**STATUS, "virtual_service_options": "-s sh"})
    session = director.client.connect()
    director.cluster(*without(session.host))
    director.monitor()
    director.by_hand(f"-E -t {VIP}:5432 -s sh")
    assert client.refused("client", VIP, sources) != [], "this is what the flag is for"
    assert director.monitor() == {**EVEN, session.host: 0}
    assert client.refused("client", VIP, sources) == []
    assert session.alive


def test_dh_has_no_weight_0(director: Director, sources: list[str]) -> None:
    director.cluster(*without(""))
    listed = {"weight_of_realservers": "node1 node2 node3,0", "virtual_service_options": "-s dh"}
    assert director.start({**STATUS, **listed}) == {"node1": 1, "node2": 1}
    session = director.client.connect()
    left = "node2" if session.host == "node1" else "node1"
    director.cluster(*without(session.host))
    assert director.monitor() == {left: 1}
    assert client.refused("client", VIP, sources) == []
    assert session.state() is client.State.RESET
