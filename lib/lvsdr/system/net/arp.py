"""Frames on the wire: announcements of an address, and probes for its use by a neighbour."""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket
import select
import sys
from collections.abc import Callable, Collection, Iterator, Sequence

from ...address.frames import ARP, Claim, advertised, arp_probe, claim
from ...errors import LvsdrError
from ...values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .first_answer import Bell

# RFC 5227 also sends 3 probes, but takes up to 7 s: too long for a failover.
PATIENCE = (0.3, 0.3, 0.4)  # seconds to listen after each probe
_TICK_MS = 1000  # milliseconds between checks of the bell
_MOST = 1000  # frames at a time
_FLOOD = 1.0  # seconds from one reported conflict to the next
_ADVERTISEMENT = 136  # RFC 4861, 4.4
_ICMP6_FILTER = 1  # linux/icmpv6.h


def send(device: str, frames: Sequence[bytes]) -> None:
    """Send whole Ethernet frames over an interface; raise LvsdrError."""
    wire = _open(device, 0)  # protocol 0 receives nothing
    try:
        for frame in frames:
            wire.send(frame)
    except OSError as error:
        raise LvsdrError(f"cannot send on {device}: {error.strerror}") from None
    finally:
        wire.close()


def conflict(
    device: str,
    mac: str,
    address: str,
    own: Collection[str],
    deadline: Deadline,
    patience: Sequence[float] = PATIENCE,
    *,
    among_equals: bool = False,
) -> str | None:
    """Return the MAC of a neighbour that has the IPv4 address, or wants it at this moment.

    ``patience`` has the seconds to listen after each probe; without a conflict, all of them pass.
    ``mac`` belongs to the interface; ``own`` are all MACs of this node.  ``among_equals`` limits
    the hosts that only probe for the address to those with a lower MAC than ``mac``.  Raises
    LvsdrError if the interface cannot be used or the time is up.
    """
    wire = _open(device, ARP)
    try:
        probe = arp_probe(mac, address)
        for seconds in patience:
            deadline.require(f"the ARP probes for {address}")
            wire.send(probe)
            for found in _claims(wire, address, own, deadline.sooner(seconds)):
                if found.precedes(mac) or not among_equals:
                    return found.mac
        return None
    except OSError as error:
        raise LvsdrError(f"cannot probe for {address} on {device}: {error.strerror}") from None
    finally:
        wire.close()


def _claims(
    wire: socket.socket, address: str, own: Collection[str], until: Deadline
) -> Iterator[Claim]:
    """Yield claims of other hosts as they arrive."""
    poller = select.poll()
    poller.register(wire.fileno(), select.POLLIN)
    while not until.expired():
        for _ in poller.poll(until.remaining() * 1000):
            found = claim(wire.recv(2048), address, own)
            if found is not None:
                yield found


def watch(
    device: str, address: str, own: Collection[str], tell: Callable[[str], None], bell: Bell
) -> None:
    """Report the MAC of each host that claims ``address``, until ``bell`` is stopped.

    A flood of claims is reported once a second.  ``own`` are the MACs of this node.  Raises
    LvsdrError if the interface cannot be used.
    """
    wire = _advertisements(device) if ":" in address else _open(device, ARP)
    understand = advertised if ":" in address else claim
    poller = select.poll()
    poller.register(wire.fileno(), select.POLLIN)
    try:
        while not bell.stopped():
            frames = _received(wire, poller)
            claims = [understand(frame, address, own) for frame in frames]
            macs = [found.mac for found in claims if found is not None and not found.probing]
            if macs:
                tell(macs[-1])
                bell.wait(_FLOOD)
    except OSError as error:
        raise LvsdrError(f"cannot listen on {device}: {error.strerror}") from None
    finally:
        wire.close()


def _received(wire: socket.socket, poller: select.poll) -> list[bytes]:
    """Return all frames that have arrived, or the first that arrives within a second."""
    frames: list[bytes] = []
    wait = _TICK_MS
    while len(frames) < _MOST and poller.poll(wait):
        frames.append(wire.recv(2048))
        wait = 0
    return frames


def _advertisements(device: str) -> socket.socket:
    """Open a socket for the neighbour advertisements of IPv6 on an interface (RFC 3542, 3.2)."""
    number = _ADVERTISEMENT
    words = [0xFFFFFFFF] * 8
    words[number >> 5] &= ~(1 << (number & 31))
    try:
        wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    except OSError as error:
        raise LvsdrError(f"cannot open a raw socket: {error.strerror}") from None
    try:
        filtered = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
        wire.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, filtered)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    except OSError as error:
        wire.close()
        raise LvsdrError(f"cannot use {device}: {error.strerror}") from None
    return wire


def _open(device: str, protocol: int) -> socket.socket:
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
    except OSError as error:
        raise LvsdrError(f"cannot open a packet socket: {error.strerror}") from None
    try:
        wire.bind((device, protocol))
    except OSError as error:
        wire.close()
        raise LvsdrError(f"cannot use {device}: {error.strerror}") from None
    return wire
