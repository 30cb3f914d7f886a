"""The hosts of the lab: a client, two directors and three real servers on one bridge.

Each is a network namespace; the bridge is in one of its own, so nothing touches the network of the
machine. The real servers serve and have the VIP on `lo`; director1 answers for it. Nothing is
balanced yet: that is what the agents under test are there for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.lab.echo import EchoServer
from tests.lab.host import SCRATCH, VIP, VIP6, Host
from tests.lab.namespace import entered, run, sysctl

FABRIC = "fabric"
NUMBERS = {"client": 1, "director1": 11, "director2": 12, "node1": 21, "node2": 22, "node3": 23}
HOSTS_FILE = Path("/etc/hosts")

# What a machine's own settings, which new namespaces inherit, must not change about the lab.
SYSCTLS = {
    "net/ipv4/conf/{}/rp_filter": 0,
    "net/ipv4/conf/{}/arp_ignore": 0,
    "net/ipv4/conf/{}/arp_announce": 0,
    "net/ipv6/conf/{}/disable_ipv6": 0,
    "net/ipv6/conf/{}/accept_dad": 0,  # addresses are to work at once
    "net/ipv6/conf/{}/accept_ra": 0,
}


class World:
    """All hosts, by name and as attributes: `with World.create() as world: …`."""

    def __init__(self) -> None:
        self.hosts = {name: Host(name, number) for name, number in NUMBERS.items()}
        self.client = self.hosts["client"]
        self.director1, self.director2 = self.hosts["director1"], self.hosts["director2"]
        self.nodes = tuple(self.hosts[f"node{number}"] for number in (1, 2, 3))
        self.node1, self.node2, self.node3 = self.nodes
        self.servers = EchoServer()
        self._hosts_file = ""

    @classmethod
    def create(cls) -> World:
        """Make the hosts. RuntimeError outside of what `tests/lab/boot` provides."""
        if os.environ.get("LAB") != "1" or not Path("/proc/net/ip_vs").exists():
            raise RuntimeError("not in the lab: start this with tests/lab/run or tests/lab/boot")
        world = cls()
        try:
            world._build()
        except BaseException:
            world.destroy()
            raise
        return world

    def _build(self) -> None:
        _connect(self.hosts.values())
        for host in self.hosts.values():
            _configure(host)
        self._hosts_file = HOSTS_FILE.read_text()
        lines = [f"{at} {host.name}\n" for host in self.hosts.values() for at in host.addresses]
        HOSTS_FILE.write_text(self._hosts_file + "".join(lines))
        for node in self.nodes:
            prepare_real_server(node)
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
        """Bring the hosts back: no processes, no sessions, empty tables, all nodes serving."""
        for host in self.hosts.values():
            host.reset()
        for node in self.nodes:
            self.servers.hang_up(node.name)
            self.servers.listen(node.name)

    def destroy(self) -> None:
        """Leave nothing behind: no process, no namespace and with them no interface, no file."""
        for host in self.hosts.values():
            host.close()
        self.servers.close()
        if self._hosts_file:
            HOSTS_FILE.write_text(self._hosts_file)
        names = [name for name in (*self.hosts, FABRIC) if Path("/run/netns", name).exists()]
        run(["ip", "-batch", "-"], stdin="".join(f"netns del {name}\n" for name in names))
        shutil.rmtree(SCRATCH, ignore_errors=True)

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()


def _connect(hosts: Iterable[Host]) -> None:
    """Make the namespaces and run a cable from each to the bridge, in two processes altogether."""
    names = [host.name for host in hosts]
    run(["ip", "-batch", "-"], stdin="".join(f"netns add {name}\n" for name in (*names, FABRIC)))
    lines = ["link add bridge type bridge mcast_snooping 0", "link set bridge up"]
    for name in names:
        lines += [
            f"link add {name} type veth peer name eth0 netns {name}",
            f"link set {name} master bridge up",
        ]
    with entered(FABRIC):
        run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")


def _configure(host: Host) -> None:
    with host.entered():
        for interface in ("all", "default", "lo", "eth0"):
            for name, value in SYSCTLS.items():
                sysctl(name.format(interface), value)
        # A cable may be pulled and plugged in again.
        sysctl("net/ipv6/conf/eth0/keep_addr_on_down", 1)
    addresses = [f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0"]
    host.ip(["link set lo up", "link set eth0 up", *addresses])


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
