"""Virtual addresses that the agent controls, and their announcements to neighbours."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.lab.host import Host
from tests.lab.operation import AGENT, AgentResult, Operation, agent_result
from tests.lab.world import World
from tests.support.fabric import plug
from tests.support.namespaces import sysctl
from tests.support.processes import Running

IP, IP6 = "10.77.0.110", "fd77::110"  # different from the VIP of the world
VIP_AGENT = AGENT.with_name("vip")
IPADDR2 = Path("/usr/lib/ocf/resource.d/heartbeat/IPaddr2")
OK, FAILED, BAD_ARGUMENT, NOT_RUNNING, DEGRADED = 0, 1, 2, 7, 190
ETH_P_ALL = 3
LEFTOVERS = [f"address del {IP}/32 dev lo", f"address del {IP6}/128 dev lo"]
FLUSHED = [
    *(f"address flush dev eth0 to {net}" for net in ("10.77.0.110/31", "10.79.0.0/24")),
    *(f"address flush dev eth0 to {net}" for net in ("fd77::110/127", "fd79::/64")),
    *(f"link del {name}" for name in ("x0", "x1", "bond0")),
]
UNTOUCHED = {
    "net/ipv4/conf/eth0/promote_secondaries": 0,
    **{f"net/ipv6/conf/{name}/accept_dad": 0 for name in ("all", "eth0")},
    **{f"net/ipv4/conf/{name}/arp_ignore": 0 for name in ("all", "lo")},
    **{f"net/ipv4/conf/{name}/arp_announce": 0 for name in ("all", "lo")},
}
EVERYBODY = ("ffffffffffff", "333300000001")


class Address:
    """A resource of vip on one host; `parameters` may be changed at any time."""

    def __init__(
        self,
        host: Host,
        ip: str = IP,
        instance: str = "ip",
        agent: Path = VIP_AGENT,
        **parameters: object,
    ) -> None:
        self.host = host
        self.instance = instance
        self.agent = agent
        self.parameters: dict[str, object] = {"ip": ip, **parameters}

    @property
    def ip(self) -> str:
        return str(self.parameters["ip"])

    def begin(
        self, action: str, interval: float = 0.0, env: Mapping[str, str] | None = None
    ) -> Running:
        """Start an action and let it run."""
        about = (self.parameters, None, self.agent, self.instance, 30.0, interval, env or {})
        return self.host.start_agent(Operation(action, *about))

    def run(
        self, action: str, interval: float = 0.0, env: Mapping[str, str] | None = None
    ) -> AgentResult:
        return agent_result(self.begin(action, interval, env).wait())

    def start(self) -> None:
        self._well("start")

    def stop(self) -> None:
        self._well("stop")

    def reload(self, **parameters: object) -> None:
        """Change parameters, and run reload-agent."""
        self.parameters.update(parameters)
        self._well("reload-agent")

    def monitor(self) -> AgentResult:
        """Run the recurring monitor."""
        return self.run("monitor", 10.0)

    def probe(self) -> AgentResult:
        return self.run("monitor")

    def restart(self) -> None:
        """Stop and start, as the cluster does after a failed monitor. The monitor then succeeds."""
        self.stop()
        self.start()
        assert self.monitor().exit_code == OK

    def refused(self, action: str, exit_code: int, *reasons: str) -> None:
        """Run an action that must fail with this exit code and these reasons."""
        interval = 10.0 if action == "monitor" else 0.0
        result = self.run(action, interval)
        assert result.exit_code == exit_code, result
        for reason in reasons:
            assert reason in result.reason, result

    def entries(self, device: str = "eth0") -> list[dict[str, Any]]:
        """Return the kernel's entries for the address on an interface."""
        return [entry for entry in addresses(self.host, device) if entry["local"] == self.ip]

    @property
    def prefixes(self) -> list[int]:
        return [int(entry["prefixlen"]) for entry in self.entries()]

    def _well(self, action: str) -> None:
        result = self.run(action)
        assert result.exit_code == OK, result


def addresses(host: Host, device: str) -> list[dict[str, Any]]:
    """Return the addresses of an interface as ip(8) shows them; none if it does not exist."""
    said = host.run(["ip", "-json", "address", "show", "dev", device], check=False).stdout
    return [entry for found in json.loads(said or "[]") for entry in found.get("addr_info", [])]


def has_address(host: Host, ip: str) -> bool:
    """Return whether the kernel accepts packets for the address, found without a fork."""
    with host.entered():
        if ":" in ip:
            listed = Path("/proc/thread-self/net/if_inet6").read_text()
            return socket.inet_pton(socket.AF_INET6, ip).hex() in listed
        return f"|-- {ip}\n" in Path("/proc/thread-self/net/fib_trie").read_text()


def mac(host: Host, device: str = "eth0") -> str:
    (found,) = json.loads(host.run(["ip", "-json", "link", "show", "dev", device]).stdout)
    return str(found["address"])


def believed(host: Host, address: str) -> str:
    """Return the MAC that a host's neighbour table has for an address; empty if none."""
    said = host.run(["ip", "-json", "neighbour", "show", "to", address]).stdout
    return next((str(found.get("lladdr", "")) for found in json.loads(said or "[]")), "")


@contextlib.contextmanager
def tidy(world: World) -> Iterator[World]:
    """Remove addresses, interfaces and settings that a case leaves on the hosts."""
    try:
        yield world
    finally:
        world.servers.hang_up("director1")
        for host in (world.client, world.director1, world.director2):
            host.close()
            host.ip([*LEFTOVERS, *FLUSHED], check=False)
            with host.entered():
                for name, value in UNTOUCHED.items():
                    sysctl(name, value)
        for node in world.nodes:
            node.ip(LEFTOVERS, check=False)
        plug(world.director1.name)


def wait_for_carrier(host: Host, device: str, wanted: bool) -> None:
    """Wait until the carrier of an interface is as wanted, at most ten seconds."""
    limit = time.monotonic() + 10.0
    while has_carrier(host, device) is not wanted and time.monotonic() < limit:
        time.sleep(0.2)


def has_carrier(host: Host, device: str) -> bool:
    (found,) = json.loads(host.run(["ip", "-json", "link", "show", "dev", device]).stdout)
    return "LOWER_UP" in found["flags"]


class Sniffer:
    """Receiver of all frames that arrive at a host's eth0, from the creation on."""

    def __init__(self, host: Host) -> None:
        with host.entered():
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._wire.bind(("eth0", ETH_P_ALL))
        self._wire.setblocking(False)
        self._frames: list[bytes] = []

    def frames(self) -> list[bytes]:
        """Return all frames so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._frames.append(self._wire.recv(2048))
        return self._frames

    def announcements(self, ip: str) -> list[str]:
        """Return the broadcast announcements of an address: "request", "reply", "advertisement"."""
        return [kind for kind in (announced(frame, ip) for frame in self.frames()) if kind]

    def wait_for(self, ip: str, count: int, patience: float = 10.0) -> list[str]:
        """Return the announcements once there are `count` of them, or after `patience` seconds."""
        limit = time.monotonic() + patience
        while len(self.announcements(ip)) < count and time.monotonic() < limit:
            time.sleep(0.05)
        return self.announcements(ip)

    def close(self) -> None:
        self._wire.close()


@contextlib.contextmanager
def sniffing(host: Host) -> Iterator[Sniffer]:
    sniffer = Sniffer(host)
    try:
        yield sniffer
    finally:
        sniffer.close()


def announced(frame: bytes, ip: str) -> str:
    """Return the kind of announcement of the address in a frame; empty if it is none."""
    if frame[:6].hex() not in EVERYBODY:
        return ""
    packed = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    if frame[12:14] == b"\x08\x06" and frame[28:32] == packed == frame[38:42]:
        return {1: "request", 2: "reply"}[frame[21]]
    if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 136:
        return "advertisement" if frame[62:78] == packed else ""
    return ""


def kinds(ip: str, times: int) -> list[str]:
    """Return the kinds of this number of announcements."""
    return (["advertisement"] if ":" in ip else ["request", "reply"]) * times
