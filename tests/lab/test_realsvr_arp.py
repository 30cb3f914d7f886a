"""The client's neighbour table holds the director's MAC, and never that of a real server."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.lab.host import VIP, VIP6, Host
from tests.lab.realsvr_agent import (
    NeighbourListener,
    RealServer,
    asking,
    balance,
    mac,
    neighbour,
    on_lo,
    unprepared,
)
from tests.lab.world import World

IGNORE, ANNOUNCE = "net/ipv4/conf/eth0/arp_ignore", "net/ipv4/conf/eth0/arp_announce"

ENOUGH = 100  # questions for the address, so that every moment of a restart meets some


@pytest.fixture
def bare(world: World) -> Iterator[World]:
    """Yield the world, with nodes that are not prepared to be real servers."""
    with unprepared(world.nodes, world.nodes):
        yield world


def resources(world: World, vip: str) -> list[RealServer]:
    return [RealServer(node, vip) for node in world.nodes]


def questions(ear: NeighbourListener, vip: str) -> int:
    """Return the number of questions for the address that the ear has received."""
    return sum(n for heard, n in ear.heard().items() if heard[1:] == ("ask", vip))


def refreshed(client: Host, vip: str) -> str:
    """Return the MAC that the client learns for the VIP by using it now."""
    client.ip(["neigh flush all"])
    client.connect(vip).close()
    return neighbour(client, vip)


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_only_the_director_answers_for_the_vip(bare: World, vip: str) -> None:
    """Only the director answers before, during and after actions on all real servers."""
    client, director = bare.client, mac(bare.director1)
    bare.servers.listen("director1")
    try:
        with NeighbourListener() as ear, asking(client, vip):
            found = {refreshed(client, vip)}
            rounds = 0
            # On a fast kernel a round of restarts ends before enough questions were sent.
            while rounds < 1 or (questions(ear, vip) <= ENOUGH and rounds < 20):
                rounds += 1
                for action in ("start", "stop", "start", "start"):
                    for resource in resources(bare, vip):
                        assert resource.run(action).exit_code == 0
                        found.add(neighbour(client, vip))
                    found.add(refreshed(client, vip))
            balance(bare.director1, bare.nodes, vip)
            assert client.spread(30, vip) == {"node1": 10, "node2": 10, "node3": 10}
            for resource in resources(bare, vip):
                assert resource.monitor().exit_code == 0
            claims = ear.claims(vip)
            asked = questions(ear, vip)
    finally:
        bare.servers.hang_up("director1")
    print(f"{vip}: asked for {asked} times; claimed by {claims}")
    assert found == {director}
    assert claims.keys() == {"director1"}
    assert asked > ENOUGH
    assert claims["director1"] > asked / 2


@pytest.mark.parametrize("vip", [VIP])
def test_the_listener_detects_a_real_server_that_answers(bare: World, vip: str) -> None:
    """A real server with the address but without the ARP settings is noticed, until start."""
    bare.node1.ip([f"address add {vip}/32 dev lo"])
    with NeighbourListener() as ear, asking(bare.client, vip):
        time.sleep(1)
        assert ear.claims(vip).keys() == {"director1", "node1"}
        RealServer(bare.node1, vip).start()
        time.sleep(0.3)
        before = ear.claims(vip)["node1"]
        time.sleep(1)
        assert ear.claims(vip)["node1"] == before


def test_which_settings_of_an_interface_make_it_answer(bare: World) -> None:
    """The agent's conflicts are the settings with which the kernel answers for the VIP."""
    resource = RealServer(bare.node1)
    resource.start()
    answering = {own for own in range(11) if answers(bare, own)}
    assert answering == {4, 5, 6, 7, 9, 10}
    bare.node1.ip([f"address del {VIP}/32 dev lo", f"address add {VIP}/32 dev lo"])
    assert resource.start().stderr.count("adopted") == 1
    answering = {own for own in range(11) if answers(bare, own)}
    assert answering == {3, 4, 5, 6, 7, 9, 10}
    for own in range(11):
        bare.node1.sysctl(IGNORE, own)
        result = resource.run("validate-all", OCF_CHECK_LEVEL="10")
        assert result.exit_code == (2 if own in answering else 0), (own, result)


def answers(world: World, own: int) -> bool:
    """Return whether node1 answers for the VIP with this arp_ignore of its interface."""
    world.node1.sysctl(IGNORE, own)
    with NeighbourListener() as ear, asking(world.client, VIP, 0.02):
        time.sleep(0.2)
        return "node1" in ear.claims(VIP)


def test_which_settings_of_an_interface_make_it_announce(bare: World) -> None:
    resource = RealServer(bare.node1)
    resource.start()
    announcing = {own for own in range(6) if announces(bare, own)}
    assert announcing == {3, 4, 5}
    for own in range(6):
        bare.node1.sysctl(ANNOUNCE, own)
        result = resource.run("validate-all", OCF_CHECK_LEVEL="10")
        assert result.exit_code == (2 if own in announcing else 0), (own, result)
        assert not result.reason or result.reason.startswith(f"{ANNOUNCE}={own} defeats 2 of all")


def announces(world: World, own: int) -> bool:
    """Return whether node1, sending from the VIP, names the VIP as its address in ARP requests."""
    world.node1.sysctl(ANNOUNCE, own)
    world.node1.ip(["neigh flush all"])
    with NeighbourListener() as ear:
        with world.node1.entered():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.bind((VIP, 0))
            sender.sendto(b"hello", (world.client.address, 9))
        return "node1" in ear.claims(VIP)


def test_a_conflict_is_a_warning_at_start(bare: World) -> None:
    resource = RealServer(bare.node1)
    for name in (IGNORE, "net/ipv4/conf/default/arp_ignore"):
        bare.node1.sysctl(name, 4)
        result = resource.start()
        assert f"WARNING: {name}=4 defeats 1 of all: this node may answer" in result.stderr
        bare.node1.sysctl(name, 0)
        assert "WARNING" not in resource.start().stderr
        resource.stop()


def test_a_stricter_setting_of_all_is_left(bare: World) -> None:
    """The kernel answers nothing with 8, so no interface can weaken it, and it stays as it is."""
    resource = RealServer(bare.node1)
    bare.node1.sysctl("net/ipv4/conf/all/arp_ignore", 8)
    bare.node1.sysctl(IGNORE, 4)
    assert resource.run("validate-all", OCF_CHECK_LEVEL="10").exit_code == 0
    resource.start()
    assert resource.monitor().exit_code == 0
    assert bare.node1.sysctl("net/ipv4/conf/all/arp_ignore") == "8"
    assert on_lo(bare.node1) == [f"inet {VIP}/32 scope host lo:0"]
    resource.stop()
    assert bare.node1.sysctl("net/ipv4/conf/all/arp_ignore") == "8"


@pytest.mark.parametrize("vip", [VIP, VIP6])
def test_director_and_real_server_on_one_node(bare: World, vip: str) -> None:
    """The director's address on its interface stays as it is, and stays reachable."""
    director, client = bare.director1, bare.client
    resource = RealServer(director, vip)
    bare.servers.listen("director1")
    try:
        with unprepared([director], []), NeighbourListener() as ear:
            before = director.run(["ip", "address", "show", "dev", "eth0"]).stdout
            assert resource.probe().exit_code == 7
            resource.start()
            assert resource.monitor().exit_code == 0
            others = [RealServer(node, vip) for node in bare.nodes[:2]]
            for other in others:
                other.start()
            balance(director, [director, *bare.nodes[:2]], vip)
            assert refreshed(client, vip) == mac(director)
            assert client.spread(9, vip) == {"director1": 3, "node1": 3, "node2": 3}
            resource.stop()
            assert resource.probe().exit_code == 7
            assert director.run(["ip", "address", "show", "dev", "eth0"]).stdout == before
            assert refreshed(client, vip) == mac(director)
            assert client.spread(9, vip) == {"director1": 3, "node1": 3, "node2": 3}
            assert ear.claims(vip).keys() <= {"director1"}
    finally:
        bare.servers.hang_up("director1")
