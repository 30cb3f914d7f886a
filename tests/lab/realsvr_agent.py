"""Real servers that the agent controls, and their neighbour packets on the bridge."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.lab.host import VIP, Host
from tests.lab.operation import AGENT, AgentResult, Operation, agent_result
from tests.lab.world import prepare_real_server
from tests.support.fabric import FABRIC
from tests.support.namespaces import entered
from tests.support.processes import Running

REALSVR = AGENT.with_name("lvsdr-realsvr")
ARP_SETTINGS = [
    f"net/ipv4/conf/{where}/{name}"
    for where in ("all", "default", "lo", "eth0")
    for name in ("arp_ignore", "arp_announce")
]


class RealServer:
    """A resource of lvsdr-realsvr on one host; `parameters` may be changed at any time."""

    def __init__(self, host: Host, vip: str = VIP, instance: str = "rs", **parameters: object):
        self.host = host
        self.instance = instance
        self.parameters = {"vip": vip, **parameters}
        self.agent = REALSVR

    def operation(
        self, action: str, timeout: float = 20.0, interval: float = 0.0, **env: str
    ) -> Operation:
        return Operation(
            action, self.parameters, None, self.agent, self.instance, timeout, interval, env
        )

    def begin(self, action: str, timeout: float = 20.0, **env: str) -> Running:
        return self.host.start_agent(self.operation(action, timeout, 0.0, **env))

    def run(
        self, action: str, timeout: float = 20.0, interval: float = 0.0, **env: str
    ) -> AgentResult:
        running = self.host.start_agent(self.operation(action, timeout, interval, **env))
        return agent_result(running.wait())

    def start(self) -> AgentResult:
        return self._well("start")

    def stop(self) -> AgentResult:
        return self._well("stop")

    def reload(self) -> AgentResult:
        return self._well("reload-agent")

    def monitor(self, **env: str) -> AgentResult:
        """Run the recurring monitor."""
        return self.run("monitor", 20.0, 10.0, **env)

    def probe(self, **env: str) -> AgentResult:
        return self.run("monitor", 20.0, 0.0, **env)

    def _well(self, action: str) -> AgentResult:
        result = self.run(action)
        assert result.exit_code == 0, result
        return result


def on_lo(host: Host) -> list[str]:
    """Return the lines of `ip address` for lo, without those of 127.0.0.1 and ::1."""
    return [
        line
        for line in ip_lines(host, "address", "show", "dev", "lo")
        if line.startswith("inet") and not re.match(r"inet6? (127\.0\.0\.1/8|::1/128) ", line)
    ]


def ip_lines(host: Host, *words: str) -> list[str]:
    """Return the output of ip(8), without lifetimes, which change."""
    lines = (line.strip() for line in host.run(["ip", *words]).stdout.splitlines())
    return [line for line in lines if "valid_lft" not in line]


def surroundings(host: Host) -> dict[str, object]:
    """Return all of a host's network that the agent could change."""
    return {
        "addresses": ip_lines(host, "address", "show"),
        "routes": ip_lines(host, "route", "show", "table", "all"),
        "routes6": ip_lines(host, "-6", "route", "show", "table", "all"),
        "sysctls": {name: host.sysctl(name) for name in ARP_SETTINGS},
    }


@contextlib.contextmanager
def unprepared(hosts: Sequence[Host], again: Sequence[Host]) -> Iterator[None]:
    """Remove from hosts all that makes them real servers. Prepare `again` afterwards."""
    for host in hosts:
        _strip(host)
    try:
        yield
    finally:
        for host in hosts:
            _strip(host)
        for host in again:
            prepare_real_server(host)


def _strip(host: Host) -> None:
    host.ip(["link set lo up"])
    lines = [f"address del {line.split()[1]} dev lo" for line in on_lo(host)]
    host.ip(lines, check=False)
    for name in ARP_SETTINGS:
        host.sysctl(name, 0)


def balance(director: Host, nodes: Sequence[Host], vip: str = VIP) -> None:
    """Balance a service over some hosts, by hand."""
    ipv6 = ":" in vip
    service = f"-t [{vip}]:5432" if ipv6 else f"-t {vip}:5432"
    ats = [f"[{node.address6}]" if ipv6 else node.address for node in nodes]
    lines = [f"-A {service} -s rr\n", *(f"-a {service} -r {at}:5432 -g\n" for at in ats)]
    director.restore_ipvs("".join(lines))


def neighbour(host: Host, address: str) -> str:
    """Return the MAC that a host has for a neighbour; empty if it has none."""
    for line in ip_lines(host, "neighbour", "show", "to", address):
        found = re.search(r"lladdr (\S+)", line)
        if found:
            return found[1]
    return ""


def mac(host: Host) -> str:
    """Return the MAC of a host on the bridge."""
    line = next(
        line for line in ip_lines(host, "link", "show", "dev", "eth0") if "link/ether" in line
    )
    return line.split()[1]


# --- packets on the bridge

ETH_P_ALL, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0806, 0x86DD
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
ICMPV6, SOLICITATION, ADVERTISEMENT = 58, 135, 136


class NeighbourPacket(NamedTuple):
    """A packet in which `host` asks for an address ("ask") or claims it ("claim")."""

    host: str
    what: str
    address: str


class NeighbourListener:
    """Receiver of ARP and neighbour discovery of all hosts. Each packet counts once, on arrival."""

    def __init__(self) -> None:
        with entered(FABRIC):
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        self._wire.settimeout(0.1)
        self._heard: Counter[NeighbourPacket] = Counter()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> NeighbourListener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(10)
        self._wire.close()

    def heard(self) -> Counter[NeighbourPacket]:
        """Return the packets so far, and those of the next 0.3 s."""
        time.sleep(0.3)
        return Counter(self._heard)

    def claims(self, address: str) -> dict[str, int]:
        """Return the number of claims of the address by each host."""
        counted = self.heard().items()
        return {h.host: n for h, n in counted if (h.what, h.address) == ("claim", address)}

    def _listen(self) -> None:
        while not self._done.is_set():
            try:
                frame, (port, _, kind, *_rest) = self._wire.recvfrom(2048)
            except TimeoutError:
                continue
            if kind != PACKET_OUTGOING and port != "bridge":
                self._heard.update(NeighbourPacket(port, what, at) for what, at in _meaning(frame))


def _meaning(frame: bytes) -> Iterator[tuple[str, str]]:
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ETH_P_ARP:
        # The sender claims its address in requests, too.
        yield "claim", socket.inet_ntoa(frame[28:32])
        if frame[21] == 1:
            yield "ask", socket.inet_ntoa(frame[38:42])
    elif kind == ETH_P_IPV6 and frame[20] == ICMPV6 and frame[54] in (SOLICITATION, ADVERTISEMENT):
        target = socket.inet_ntop(socket.AF_INET6, frame[62:78])
        yield ("ask" if frame[54] == SOLICITATION else "claim"), target


@contextlib.contextmanager
def asking(host: Host, address: str, every: float = 0.03) -> Iterator[None]:
    """Let a host send requests for the address, by broadcast, every `every` seconds."""
    with host.entered():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("eth0", 0))
    done = threading.Event()
    question = _solicitation if ":" in address else _request
    frame = question(wire.getsockname()[4], host, address)

    def ask() -> None:
        while not done.wait(every):
            wire.send(frame)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        wire.close()


def _request(source: bytes, host: Host, address: str) -> bytes:
    """Return an ARP request (RFC 826)."""
    head = b"\xff" * 6 + source + struct.pack("!HHHBBH", ETH_P_ARP, 1, 0x0800, 6, 4, 1)
    return head + source + socket.inet_aton(host.address) + bytes(6) + socket.inet_aton(address)


def _solicitation(source: bytes, host: Host, address: str) -> bytes:
    """Return a neighbour solicitation (RFC 4861, section 4.3)."""
    target = ipaddress.IPv6Address(address).packed
    asker = ipaddress.IPv6Address(host.address6).packed
    group = ipaddress.IPv6Address("ff02::1:ff00:0").packed[:13] + target[13:]
    body = struct.pack("!BBHI", SOLICITATION, 0, 0, 0) + target + b"\x01\x01" + source
    words = asker + group + struct.pack("!II", len(body), ICMPV6) + body
    total = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    body = body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]
    header = struct.pack("!IHBB", 0x60000000, len(body), ICMPV6, 255) + asker + group
    ethernet = b"\x33\x33" + group[12:] + source + struct.pack("!H", ETH_P_IPV6)
    return ethernet + header + body
