"""The packet path of direct routing, as the agents lay it on hosts without any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.lab.host import VIP
from tests.lab.operation import AgentResult
from tests.lab.realsvr_agent import RealServer, mac, neighbour, unprepared
from tests.lab.vip_agent import Address
from tests.lab.world import World


@contextmanager
def remove_packet_path(world: World) -> Iterator[None]:
    """Remove the VIP and the ARP settings from hosts, and restore them afterwards."""
    director = world.director1
    with unprepared(world.nodes, world.nodes):
        director.ip([f"address del {VIP}/32 dev eth0"])
        world.client.ip(["neigh flush all"])
        try:
            yield
        finally:
            director.ip([f"address del {VIP}/24 dev eth0"], check=False)
            world.move_vip(director)


def lay_packet_path(world: World) -> Iterator[tuple[str, str, AgentResult]]:
    """Start the agents that lay the path. Yield host, agent and result of each."""
    for node in world.nodes:
        yield node.name, "lvsdr-realsvr", RealServer(node).run("start")
    director = world.director1
    yield director.name, "vip", Address(director, VIP, cidr_netmask=24).run("start")


def owner(world: World) -> str:
    """Return the host with the MAC that the client learns for the VIP; ``no host`` if none."""
    with suppress(OSError):  # no server listens yet; only the ARP request counts
        world.client.connect().close()
    answer = neighbour(world.client, VIP)
    return next((name for name, host in world.hosts.items() if mac(host) == answer), "no host")
