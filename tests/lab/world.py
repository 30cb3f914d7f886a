"""The hosts of the lab: a client, two directors and three real servers on one bridge.

Each host is a network namespace. The bridge has a namespace of its own, so the machine's network is
not touched. The real servers listen and have the VIP on `lo`. director1 answers for the VIP. The
IPVS tables are empty: filling them is the task of the agents under test.
"""

from __future__ import annotations

import shutil

from tests.lab.echo import EchoServer
from tests.lab.host import SCRATCH, SHORT_MEMORY, VIP, VIP6, Host
from tests.lab.network import Network, require_lab
from tests.support.namespaces import sysctl

NUMBERS = {"client": 1, "director1": 11, "director2": 12, "node1": 21, "node2": 22, "node3": 23}


class World:
    """All hosts, by name and as attributes: `with World.create() as world: …`."""

    def __init__(self) -> None:
        self.hosts = {name: Host(name, number) for name, number in NUMBERS.items()}
        self.client = self.hosts["client"]
        self.director1, self.director2 = self.hosts["director1"], self.hosts["director2"]
        self.nodes = tuple(self.hosts[f"node{number}"] for number in (1, 2, 3))
        self.node1, self.node2, self.node3 = self.nodes
        self.servers = EchoServer()
        self._network = Network(self.hosts.values())

    @classmethod
    def create(cls) -> World:
        """Make the hosts. Raise RuntimeError outside of the environment of `tests/lab/boot`."""
        require_lab()
        world = cls()
        try:
            world._build()
        except BaseException:
            world.destroy()
            raise
        return world

    def _build(self) -> None:
        self._network.lay()
        for node in self.nodes:
            prepare_real_server(node)
        for director in (self.director1, self.director2):
            director.forget_after(SHORT_MEMORY)
        self.reset()
        self.move_vip(self.director1)

    def move_vip(self, director: Host) -> None:
        """Move the VIP of both families to this director, at once."""
        for host in (self.director1, self.director2):
            verb = "replace" if host is director else "del"
            lines = [f"addr {verb} {VIP}/32 dev eth0", f"addr {verb} {VIP6}/128 dev eth0"]
            host.ip(lines, check=host is director)
        self.client.run(["ip", "neigh", "flush", "all"])

    def reset(self) -> None:
        """Restore the hosts: no processes, no sessions, empty tables, a server on every node.

        The client's neighbour table is emptied, because a test may have sent announcements.
        """
        for host in self.hosts.values():
            host.reset()
            self.servers.hang_up(host.name)
        for node in self.nodes:
            self.servers.listen(node.name)
        self.client.ip(["neigh flush all"])

    def destroy(self) -> None:
        """Remove every process, namespace, interface and file of the lab."""
        for host in self.hosts.values():
            host.close()
        self.servers.close()
        self._network.remove()
        shutil.rmtree(SCRATCH, ignore_errors=True)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()


def prepare_real_server(node: Host, vip: str = VIP, vip6: str = VIP6) -> None:
    """Prepare a node for direct routing: the VIP on `lo`, and no ARP answers for it.

    IPv6 needs no such sysctls. A neighbour solicitation is answered only for addresses of the
    interface that it arrived on.
    """
    with node.entered():
        for interface in ("all", "lo"):
            sysctl(f"net/ipv4/conf/{interface}/arp_ignore", 1)
            sysctl(f"net/ipv4/conf/{interface}/arp_announce", 2)
    node.ip([f"addr replace {vip}/32 dev lo", f"addr replace {vip6}/128 dev lo nodad"])
