"""Hosts on one bridge in a namespace of its own, each with a cable that can be pulled."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tests.lab.host import Host
from tests.support.fabric import FABRIC, add_namespaces, cable, remove_namespaces
from tests.support.namespaces import entered, ip_batch, sysctl

BRIDGE = "bridge"
HOSTS_FILE = Path("/etc/hosts")

# The lab's settings, because new namespaces inherit the machine's.
SYSCTLS = {
    "net/ipv4/conf/{}/rp_filter": 0,
    "net/ipv4/conf/{}/arp_ignore": 0,
    "net/ipv4/conf/{}/arp_announce": 0,
    "net/ipv6/conf/{}/disable_ipv6": 0,
    "net/ipv6/conf/{}/accept_dad": 0,  # addresses must be usable at once
    "net/ipv6/conf/{}/accept_ra": 0,
}


def require_lab() -> None:
    """Raise RuntimeError outside of the environment of `tests/lab/boot`."""
    if os.environ.get("LAB") != "1" or not Path("/proc/net/ip_vs").exists():
        raise RuntimeError("not in the lab: start this with tests/lab/run or tests/lab/boot")


class Network:
    """The segment that connects these hosts, and their names in /etc/hosts."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._hosts = tuple(hosts)
        self._hosts_file = ""

    def lay(self) -> None:
        """Make the namespaces, connect them and write their names to /etc/hosts."""
        add_namespaces(host.name for host in self._hosts)
        with entered(FABRIC):
            ip_batch([f"link add {BRIDGE} type bridge mcast_snooping 0", f"link set {BRIDGE} up"])
        _connect(self._hosts)
        for host in self._hosts:
            _configure(host)
        self._hosts_file = HOSTS_FILE.read_text()
        lines = [f"{at} {host.name}\n" for host in self._hosts for at in host.addresses]
        HOSTS_FILE.write_text(self._hosts_file + "".join(lines))

    def remove(self) -> None:
        """Remove the namespaces with their interfaces, and the names."""
        if self._hosts_file:
            HOSTS_FILE.write_text(self._hosts_file)
        remove_namespaces(host.name for host in self._hosts)

    def renew(self, host: Host) -> None:
        """Give a host a fresh network, as after a reboot."""
        with entered(FABRIC):
            ip_batch([f"link del {host.name}"])
        ip_batch([f"netns del {host.name}", f"netns add {host.name}"])
        _connect([host])
        _configure(host)


def _connect(hosts: Iterable[Host]) -> None:
    """Connect each host to the bridge."""
    with entered(FABRIC):
        ip_batch(line for host in hosts for line in cable(host.name, "eth0", BRIDGE, host.name))


def _configure(host: Host) -> None:
    with host.entered():
        for interface in ("all", "default", "lo", "eth0"):
            for name, value in SYSCTLS.items():
                sysctl(name.format(interface), value)
        # A cable may be pulled and plugged in again.
        sysctl("net/ipv6/conf/eth0/keep_addr_on_down", 1)
    addresses = [f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0"]
    host.ip(["link set lo up", "link set eth0 up", *addresses])
