"""The three agents on their hosts at once, and the client's view: ARP answers and real servers."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.lab import client as clients
from tests.lab.host import Host
from tests.lab.realsvr_agent import ARP_SETTINGS, ICMPV6, SO_RCVBUFFORCE
from tests.lab.vip_agent import ETH_P_ALL, FLUSHED, tidy
from tests.lab.world import World
from tests.support.waiting import wait_until

REACHABLE = [f"net/{family}/neigh/eth0/base_reachable_time_ms" for family in ("ipv4", "ipv6")]
PROMOTE = "net/ipv4/conf/eth0/promote_secondaries"
ACCEPT_DAD = "net/ipv6/conf/eth0/accept_dad"
RETRANSMITTED = 15.0  # seconds for a connection: TCP tries again after 1, 3 and 7


@contextlib.contextmanager
def unprepared_hosts(world: World) -> Iterator[World]:
    """Yield hosts that only agents make directors or real servers of the address.

    The client keeps its neighbour entries for an hour. All changes are undone afterwards.
    """
    with contextlib.ExitStack() as changed:
        changed.enter_context(tidy(world))
        for node in world.nodes:
            changed.enter_context(settings(node, dict.fromkeys(ARP_SETTINGS, 0)))
        changed.enter_context(settings(world.node1, {PROMOTE: 0, ACCEPT_DAD: 0}))
        changed.enter_context(settings(world.client, dict.fromkeys(REACHABLE, 3600_000)))
        changed.callback(world.node1.ip, FLUSHED, check=False)
        changed.callback(world.servers.hang_up, "director2")
        world.client.ip(["neigh flush all"])
        yield world


@contextlib.contextmanager
def settings(host: Host, wanted: Mapping[str, int]) -> Iterator[None]:
    """Set sysctls of a host until the end of the block."""
    before = {name: host.sysctl(name) for name in wanted}
    try:
        for name, value in wanted.items():
            host.sysctl(name, value)
        yield
    finally:
        for name, old in before.items():
            host.sysctl(name, old)


# --- the client's connections


class Attempt(NamedTuple):
    """One new connection: its real server, or its error."""

    began: float
    took: float
    host: str
    error: str


class Traffic:
    """New connections from a host, one after the other, until the end of the block.

    There are some 20 in a second, and as many as possible while `fresh` waits for them.
    """

    def __init__(self, client: Host, ip: str) -> None:
        self._client, self._ip = client, ip
        self._attempts: list[Attempt] = []
        self._done, self._hurry = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(2 * RETRANSMITTED)

    def fresh(self, count: int) -> Counter[str]:
        """Count the next `count` connections that begin from now on, by real server."""
        now = time.monotonic()

        def found() -> list[Attempt]:
            return [attempt for attempt in list(self._attempts) if attempt.began >= now]

        self._hurry.set()
        wait_until(
            lambda: len(found()) >= count, description=f"{count} new connections to {self._ip}"
        )
        self._hurry.clear()
        return Counter(attempt.host for attempt in found()[:count])

    @property
    def served(self) -> Counter[str]:
        """Return the number of connections of each real server."""
        return Counter(attempt.host for attempt in self._attempts if attempt.host)

    @property
    def failed(self) -> list[Attempt]:
        return [attempt for attempt in self._attempts if attempt.error]

    @property
    def slowest(self) -> float:
        """Return the longest time from the begin of a connection to its greeting, in seconds."""
        return max(attempt.took for attempt in self._attempts)

    def _go_on(self) -> None:
        while not self._done.is_set():
            self._hurry.wait(0.05)
            began, host, error = time.monotonic(), "", ""
            try:
                session = clients.connect(self._client.name, self._ip, timeout=RETRANSMITTED)
                host = session.host
                session.close()
            except (OSError, EOFError) as problem:
                error = repr(problem)
            self._attempts.append(Attempt(began, time.monotonic() - began, host, error))


def try_connection(client: Host, ip: str) -> list[clients.Session]:
    """Return a list with a new connection, or an empty list if it fails or takes over 0.2 s."""
    with contextlib.suppress(OSError, EOFError):
        return [client.connect(ip, timeout=0.2)]
    return []


def wait_for_connection(client: Host, ip: str) -> clients.Session:
    """Return the first connection that succeeds from now on."""
    (session,) = wait_until(
        lambda: try_connection(client, ip), description=f"a connection to {ip}", pause=0.02
    )
    return session


# --- the neighbour packets that a client receives

SOLICITATION, ADVERTISEMENT = 135, 136
SO_ATTACH_FILTER = 26
# ARP and neighbour discovery, as instructions of the socket filter: code, jumps, operand.
FILTER = [
    (0x28, 0, 0, 12),  # load the type of the frame
    (0x15, 6, 0, 0x0806),
    (0x15, 0, 6, 0x86DD),
    (0x30, 0, 0, 20),  # load the next header
    (0x15, 0, 4, ICMPV6),
    (0x30, 0, 0, 54),  # load the type of ICMPv6
    (0x15, 1, 0, SOLICITATION),
    (0x15, 0, 1, ADVERTISEMENT),
    (0x06, 0, 0, 0xFFFF),  # take the frame
    (0x06, 0, 0, 0),  # leave it
]


class NeighbourPacket(NamedTuple):
    """Sender of a packet about the address, and its kind: "ask" or "claim"."""

    host: str
    what: str


class Capture:
    """Questions and claims for one address at a host's eth0, counted from the creation on."""

    def __init__(self, world: World, ip: str, at: Host) -> None:
        self._names = {hardware_address(host): host.name for host in world.hosts.values()}
        self._packed = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
        self._counted: Counter[NeighbourPacket] = Counter()
        with at.entered():
            self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in FILTER))
        program = struct.pack("HP", len(FILTER), ctypes.addressof(code))
        self._wire.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        self._wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self._wire.setblocking(False)
        self._wire.bind(("eth0", ETH_P_ALL))

    def close(self) -> None:
        self._wire.close()

    def heard(self) -> Counter[NeighbourPacket]:
        """Return the counts so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                mac, what = _meaning(self._wire.recv(2048), self._packed)
                if what:
                    self._counted[NeighbourPacket(self._names.get(mac, mac.hex(":")), what)] += 1
        return Counter(self._counted)

    def during(self, questions: int) -> Counter[NeighbourPacket]:
        """Return the packets received during this number of further questions."""
        before = self.heard()
        enough = asked(before) + questions
        wait_until(lambda: asked(self.heard()) >= enough, description=f"{questions} questions")
        return self.heard() - before


def asked(heard: Counter[NeighbourPacket]) -> int:
    """Return the number of questions of the client."""
    return heard[NeighbourPacket("client", "ask")]


def claims(heard: Counter[NeighbourPacket]) -> dict[str, int]:
    """Return the number of claims of the address by each host, in any kind of packet."""
    return {host: times for (host, what), times in heard.items() if what == "claim"}


def hardware_address(host: Host) -> bytes:
    """Return the MAC of a host's eth0, found without a fork."""
    with host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        wire.bind(("eth0", 0))
        return bytes(wire.getsockname()[4])


def _meaning(frame: bytes, packed: bytes) -> tuple[bytes, str]:
    """Return the MAC in a frame, and the frame's kind if it is about the address; else "".

    A question that is sent from the address claims it too: the receiver learns the sender's MAC.
    """
    mac, sender, target = frame[6:12], frame[22:38], frame[62:78]
    question = frame[54:55] == bytes([SOLICITATION])
    claimed = sender if question else target
    if frame[12:14] == b"\x08\x06":
        mac, claimed, target = frame[22:28], frame[28:32], frame[38:42]
        question = frame[21] == 1
    if claimed == packed:
        return mac, "claim"
    return mac, "ask" if question and target == packed else ""
