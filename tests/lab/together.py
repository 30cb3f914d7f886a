"""The three agents on their hosts at once, and what a client notices of it: answers, servers."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from tests.lab import client as clients
from tests.lab.host import Host
from tests.lab.realsvr import ARP_SETTINGS, ICMPV6, SO_RCVBUFFORCE
from tests.lab.vip import ETH_P_ALL, FLUSHED, tidy
from tests.lab.world import World

REACHABLE = [f"net/{family}/neigh/eth0/base_reachable_time_ms" for family in ("ipv4", "ipv6")]
PROMOTE = "net/ipv4/conf/eth0/promote_secondaries"
ACCEPT_DAD = "net/ipv6/conf/eth0/accept_dad"
PATIENCE = 30.0  # seconds to wait for what is to happen; all of it takes less than two
RETRANSMITTED = 15.0  # seconds for a connection: TCP tries again after 1, 3 and 7


@contextlib.contextmanager
def prepared_by_nobody(world: World) -> Iterator[World]:
    """Hosts that only agents make directors or real servers of an address of ours.

    The client believes for an hour what it knows of its neighbours. All goes away afterwards.
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
    """Let sysctls of a host have these values for a while."""
    before = {name: host.sysctl(name) for name in wanted}
    try:
        for name, value in wanted.items():
            host.sysctl(name, value)
        yield
    finally:
        for name, old in before.items():
            host.sysctl(name, old)


def waited_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; AssertionError if it does not for half a minute."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.02)


# --- what a client does


class Attempt(NamedTuple):
    """One new connection: on which real server it ended, or what went wrong."""

    began: float
    took: float
    host: str
    error: str


class Traffic:
    """New connections from a host, one after the other, all the time: `with Traffic(…) as …`.

    There are some 20 in a second, and as many as possible while somebody waits for them.
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
        """Where the next connections end, of those that are begun from now on."""
        now = time.monotonic()

        def found() -> list[Attempt]:
            return [attempt for attempt in list(self._attempts) if attempt.began >= now]

        self._hurry.set()
        waited_for(lambda: len(found()) >= count, f"{count} new connections to {self._ip}")
        self._hurry.clear()
        return Counter(attempt.host for attempt in found()[:count])

    @property
    def served(self) -> Counter[str]:
        """How many connections each real server has had."""
        return Counter(attempt.host for attempt in self._attempts if attempt.host)

    @property
    def failed(self) -> list[Attempt]:
        return [attempt for attempt in self._attempts if attempt.error]

    @property
    def slowest(self) -> float:
        """Seconds from a connection's begin to the real server's greeting."""
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


def attempted(client: Host, ip: str) -> list[clients.Session]:
    """A new connection; none if it does not come about soon."""
    with contextlib.suppress(OSError, EOFError):
        return [client.connect(ip, timeout=0.2)]
    return []


def first_connection(client: Host, ip: str) -> clients.Session:
    """The first that comes about, from now on."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        for session in attempted(client, ip):
            return session
        time.sleep(0.02)
    raise AssertionError(f"no connection to {ip} in {PATIENCE:.0f} s")


# --- what a client hears

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


class Heard(NamedTuple):
    """Who said it, and what of the address: "ask" or "claim"."""

    host: str
    what: str


class Capture:
    """What is asked and claimed of one address at a host's eth0, counted from its making on."""

    def __init__(self, world: World, ip: str, at: Host) -> None:
        self._names = {hardware_address(host): host.name for host in world.hosts.values()}
        self._packed = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
        self._counted: Counter[Heard] = Counter()
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

    def heard(self) -> Counter[Heard]:
        """All of it so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                mac, what = _meaning(self._wire.recv(2048), self._packed)
                if what:
                    self._counted[Heard(self._names.get(mac, mac.hex(":")), what)] += 1
        return Counter(self._counted)

    def during(self, questions: int) -> Counter[Heard]:
        """What is heard while the address is asked for so many times more."""
        before = self.heard()
        enough = asked(before) + questions
        waited_for(lambda: asked(self.heard()) >= enough, f"{questions} questions")
        return self.heard() - before


def asked(heard: Counter[Heard]) -> int:
    """How often the client has asked."""
    return heard[Heard("client", "ask")]


def claims(heard: Counter[Heard]) -> dict[str, int]:
    """How often each host has said, in whatever way, that the address is its own."""
    return {host: times for (host, what), times in heard.items() if what == "claim"}


def hardware_address(host: Host) -> bytes:
    """The MAC of a host's eth0, found without a fork."""
    with host.entered(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
        wire.bind(("eth0", 0))
        return bytes(wire.getsockname()[4])


def _meaning(frame: bytes, packed: bytes) -> tuple[bytes, str]:
    """Whose MAC a frame names, and what it says of the address; nothing if it is of others.

    Who asks for something else from the address has claimed it: the one who is asked believes it.
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
