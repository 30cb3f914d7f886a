"""A client on the segment, which continuously sends ARP and echo requests for the address.

Every ARP request (RFC 826) comes from its own hardware address, and the reply goes there. So the
request of each reply is certain, however late the reply is. Two hosts that answer the same request
both have the address.
"""

from __future__ import annotations

import itertools
import select
import socket
import struct
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lvsdr.address.frames import ARP

from tests.leader.network import Host
from tests.leader.worker import Worker

BEAT = 0.05  # seconds between two requests, by default
_LATELY, _UNDER_WAY = 6, 2  # questions
LATE = 1.0  # seconds after which no reply is expected any more
# unused; an address of 0 would make a probe, which signals an intended claim (RFC 5227)
_ASKER = bytes((10, 78, 0, 99))
_LOCAL = b"\x02"  # beginning of locally administered hardware addresses
_HARDWARE = struct.Struct("!HHBBH6s4s6s4s")
_ECHO = struct.Struct("!BBHHH")
_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISCUOUS = 263, 1, 1  # linux/if_packet.h
_identifiers = itertools.count(1)


class Segment:
    """Client that requests `address`; replies are those of `hosts`, by name."""

    def __init__(
        self, client: Host, hosts: Mapping[str, Host], address: str, beat: float = BEAT
    ) -> None:
        self.asked: list[float] = []
        """Times of the requests."""
        self.owners: list[set[str]] = []
        """Names of the hosts that claimed the address, for each request."""
        self.reached: list[bool] = []
        """True if the echo reply arrived, for each request."""
        self._address, self._beat = address, beat
        self._wanted = bytes(map(int, address.split(".")))
        self._names = {_hardware(host): name for name, host in hosts.items()}
        self._identifier = next(_identifiers)
        self._ours = _LOCAL + self._identifier.to_bytes(2, "big")
        self._first = 0
        with client.entered():
            self._arp, self._icmp = _arp_socket(), _icmp_socket()
        self._own = _hardware(client)
        self._worker = Worker(self._run)

    def stop(self) -> None:
        """Stop the requests, and wait for late replies."""
        self._worker.stop()
        self._arp.close()
        self._icmp.close()

    def forget(self) -> None:
        """Do not count earlier losses, because the setup causes them."""
        last = len(self.reached) - 1
        self._first = next(i for i in range(last, -1, -1) if self.reached[i])

    def serves(self, host: Host, since: int = 0) -> bool:
        """Return whether recent replies are all from this host, and so it alone has the address.

        Requests before number `since` do not count. The latest ones do not count either, because
        their replies are under way.
        """
        last = len(self.asked) - _UNDER_WAY
        lately = slice(last - _LATELY, last)
        if lately.start < since:
            return False
        names = set().union(*self.owners[lately])
        return names == {host.name} and all(self.reached[lately])

    def usable(self, host: Host, since: float) -> float | None:
        """Return the time of the first answered request, with the address on that host."""
        for number in range(bisect_left(self.asked, since), len(self.asked)):
            if self.reached[number] and self.owners[number] == {host.name}:
                return self.asked[number]
        return None

    @property
    def doubled(self) -> int:
        """Return the number of requests that more than one host answered."""
        return sum(len(owners) > 1 for owners in self.owners)

    @property
    def longest(self) -> float:
        """Return the longest time without an echo, in seconds; 0 if none was lost."""
        return max((end - begin for begin, end in self._gaps()), default=0.0)

    @property
    def owner(self) -> str:
        """Return the hosts of the last reply."""
        names = next((owners for owners in reversed(self.owners) if owners), {"no host"})
        return " and ".join(sorted(names))

    def _gaps(self) -> Iterator[tuple[float, float]]:
        """Yield each span without echoes. Replies that are still under way are not lost."""
        begin, lost = self.asked[self._first], False
        for at, came in zip(self.asked[self._first :], self.reached[self._first :]):
            if came:
                if lost:
                    yield begin, at
                begin, lost = at, False
            else:
                lost = True
        if lost and self.asked[-1] - begin > LATE:
            yield begin, self.asked[-1]

    def _run(self, over: threading.Event) -> None:
        poller = select.poll()
        poller.register(self._arp, select.POLLIN)
        poller.register(self._icmp, select.POLLIN)
        while not over.is_set():
            at = time.monotonic()
            self._ask(at)
            self._listen(poller, at + self._beat)
        self._listen(poller, time.monotonic() + LATE)

    def _ask(self, at: float) -> None:
        number = len(self.asked)
        self.owners.append(set())
        self.reached.append(False)
        self.asked.append(at)
        from_whom = self._ours + number.to_bytes(3, "big")
        body = _HARDWARE.pack(1, 0x0800, 6, 4, 1, from_whom, _ASKER, bytes(6), self._wanted)
        echo = _ECHO.pack(8, 0, _echo_sum(self._identifier, number), self._identifier, number)
        self._arp.send(b"\xff" * 6 + self._own + ARP.to_bytes(2, "big") + body)
        try:
            self._icmp.sendto(echo, (self._address, 0))
        except OSError:
            return  # the kernel already knows that no host has it

    def _listen(self, poller: select.poll, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            for descriptor, _ in poller.poll(left * 1000):
                if descriptor == self._arp.fileno():
                    self._hear_owner(self._arp.recv(2048))
                else:
                    self._hear_echo(*self._icmp.recvfrom(2048))

    def _hear_owner(self, frame: bytes) -> None:
        *_, operation, sender, used, target, _ = _HARDWARE.unpack(frame[14:42])
        if operation == 2 and used == self._wanted and target.startswith(self._ours):
            name = self._names.get(sender, sender.hex(":"))
            self.owners[int.from_bytes(target[3:], "big")].add(name)

    def _hear_echo(self, packet: bytes, source: tuple[str, int]) -> None:
        kind, _, _, identifier, number = _ECHO.unpack(packet[20:28])
        if kind == 0 and identifier == self._identifier and source[0] == self._address:
            self.reached[number] = True


@contextmanager
def observed(
    client: Host, hosts: Mapping[str, Host], address: str, beat: float = BEAT
) -> Iterator[Segment]:
    """Send requests until the end of the block."""
    made = Segment(client, hosts, address, beat)
    try:
        yield made
    finally:
        made.stop()


def _echo_sum(identifier: int, number: int) -> int:
    """Return the Internet checksum (RFC 1071) of an empty echo request."""
    total = 0x0800 + identifier + number
    return 0xFFFF - (total & 0xFFFF) - (total >> 16)


def _hardware(host: Host) -> bytes:
    with host.entered(), _arp_socket() as wire:
        return bytes(wire.getsockname()[4])


def _arp_socket() -> socket.socket:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
    wire.bind(("front", ARP))
    index = socket.if_nametoindex("front")
    membership = struct.pack("iHH8s", index, _PROMISCUOUS, 0, b"")
    wire.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, membership)
    return wire


def _icmp_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
