"""Every forwarding method carries connections, and a change of the method loses none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director, all_alive
from tests.lab.world import World

EVERYBODY = {"node1": 1, "node2": 1, "node3": 1}
EVENLY = {"node1": 2, "node2": 2, "node3": 2}


@pytest.fixture
def director(world: World, tmp_path: Path) -> Iterator[Director]:
    """Yield a director and hosts that support all methods.

    Nodes have a tunnel interface for ipip and a return route for masq. Packets from a real server's
    own address pass the director, which replaces the source with the VIP. Packets from the VIP go
    to the client directly.
    """
    world.director1.run(["modprobe", "ipip"])
    back = f"from {{}} to {world.client.address} lookup 77"
    for node in world.nodes:
        for interface in ("all", "eth0"):
            node.sysctl(f"net/ipv4/conf/{interface}/accept_redirects", 0)
        way = f"route replace default via {world.director1.address} table 77"
        node.ip(["link set tunl0 up", way, f"rule add {back.format(node.address)}"])
    director = Director(world, tmp_path)
    director.cluster(PRIMARY, STANDBY2, STANDBY3)
    yield director
    director.stop()
    for node in world.nodes:
        node.ip(["link set tunl0 down", f"rule del {back.format(node.address)}"])


@pytest.mark.parametrize(
    ("method", "shown"), [("gate", "Route"), ("masq", "Masq"), ("ipip", "Tunnel")]
)
def test_forwarding(director: Director, method: str, shown: str) -> None:
    assert director.start({"forwarding_method": method}) == EVERYBODY
    assert {entry.forward for entry in director.table().values()} == {shown}
    assert director.client.spread(6) == EVENLY


def test_sessions_outlive_changes_of_method_and_scheduler(director: Director) -> None:
    """Each session keeps its forwarding method, and the kernel continues to count it."""
    director.start({})
    sessions = [director.sessions()]
    changes = [
        ({"forwarding_method": "masq"}, "Masq"),
        ({"virtual_service_options": "-s wrr"}, "Masq"),
        ({"forwarding_method": "ipip", "virtual_service_options": "-s lc"}, "Tunnel"),
        ({"forwarding_method": "gate", "virtual_service_options": "-s rr"}, "Route"),
    ]
    with director.watched() as seen:
        for change, shown in changes:
            assert director.update(**change) == EVERYBODY
            entries = director.table().values()
            assert {entry.forward for entry in entries} == {shown}
            assert {entry.active for entry in entries} == {len(sessions)}
            assert all(map(all_alive, sessions))
            sessions.append(director.sessions())
    assert all(weights == EVERYBODY for weights in seen)
    assert all(map(all_alive, sessions))


@pytest.fixture
def two_minutes(director: Director) -> Iterator[None]:
    """Let the kernel remember closed connections for its default time."""
    with director.world.director1.remembering_for(120):
        yield


@pytest.mark.usefixtures("two_minutes")
def test_closed_connections_hold_up_no_drain_where_the_director_sees_their_end(
    director: Director,
) -> None:
    """The director of masquerading sees both sides, so it can tell closed from half-closed."""
    only = {"weight_of_realservers": "node1", "forwarding_method": "masq"}
    assert director.start(only) == {"node1": 1}
    half, closed = director.client.connect(), director.client.connect()
    half.echo("stay")
    half.shut_down()
    closed.close()
    director.update(weight_of_realservers="node2")
    assert director.monitor() == {"node1": 0, "node2": 1}
    assert director.table()["node1"].active == 0
    director.world.servers.say_farewell("node1")
    assert half.rest() == "bye\n"
    half.close()
    assert director.table()["node1"].inactive == 2
    assert director.monitor() == {"node2": 1}


@pytest.mark.usefixtures("two_minutes")
def test_closed_connections_hold_up_no_drain_of_the_director_itself(director: Director) -> None:
    """IPVS sees both sides of a connection that ends on the director itself."""
    own = director.world.director1
    director.world.servers.listen(own.name)
    assert director.start({"weight_of_realservers": own.address}) == {own.name: 1}
    half, closed = director.client.connect(), director.client.connect()
    assert half.host == closed.host == own.name
    half.echo("stay")
    half.shut_down()
    closed.close()
    director.update(weight_of_realservers="node2")
    assert director.monitor() == {own.name: 0, "node2": 1}
    assert director.monitor() == {own.name: 0, "node2": 1}, "it has a half-closed session"
    director.world.servers.say_farewell(own.name)
    assert half.rest() == "bye\n"
    half.close()
    assert director.table()[own.name].inactive == 2
    assert director.monitor() == {"node2": 1}
