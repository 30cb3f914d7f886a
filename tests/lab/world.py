"""The hosts of the lab: a client, two directors and three real servers on one bridge.

Each is a network namespace; the bridge is in one of its own, so nothing touches the network of the
machine. The real servers serve and have the VIP on `lo`; director1 answers for it. Nothing is
balanced yet: that is what the agents under test are there for.
"""

from __future__ import annotations

import shutil

from tests.lab.echo import EchoServer
from tests.lab.host import SCRATCH, SHORT_MEMORY, VIP, VIP6, Host
from tests.lab.namespace import sysctl
from tests.lab.network import Network, require_lab

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
        """Make the hosts. RuntimeError outside of what `tests/lab/boot` provides."""
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
        """Let this one of the directors answer for the VIP, in both families, as of now."""
        for host in (self.director1, self.director2):
            verb = "replace" if host is director else "del"
            lines = [f"addr {verb} {VIP}/32 dev eth0", f"addr {verb} {VIP6}/128 dev eth0"]
            host.ip(lines, check=host is director)
        self.client.run(["ip", "neigh", "flush", "all"])

    def reset(self) -> None:
        """Bring the hosts back: no processes, no sessions, empty tables, all nodes serving.

        And the client believes nothing that a test has made somebody announce.
        """
        for host in self.hosts.values():
            host.reset()
            self.servers.hang_up(host.name)
        for node in self.nodes:
            self.servers.listen(node.name)
        self.client.ip(["neigh flush all"])

    def destroy(self) -> None:
        """Leave nothing behind: no process, no namespace and with them no interface, no file."""
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
    """Give a node what direct routing asks of a real server: the VIP on `lo`, no word of it in ARP.

    IPv6 needs no such sysctls: a neighbour solicitation is only answered for addresses of the
    interface that it came in on.
    """
    with node.entered():
        for interface in ("all", "lo"):
            sysctl(f"net/ipv4/conf/{interface}/arp_ignore", 1)
            sysctl(f"net/ipv4/conf/{interface}/arp_announce", 2)
    node.ip([f"addr replace {vip}/32 dev lo", f"addr replace {vip6}/128 dev lo nodad"])
