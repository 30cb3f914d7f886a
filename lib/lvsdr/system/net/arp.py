"""Frames on the wire: announcements of an address, and probes for its use by a neighbour."""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket
import select
import sys
from collections.abc import Callable, Collection, Iterator, Sequence

from ...address.frames import ARP, Claim, build_arp_probe, parse_advertisement, parse_arp_claim
from ...errors import LvsdrError
from ...values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .first_answer import Bell

# RFC 5227 also sends 3 probes, but takes up to 7 s: too long for a failover.
PATIENCE = (0.3, 0.3, 0.4)  # seconds to listen after each probe
_TICK_MS = 1000  # milliseconds between checks of the bell
_MOST_FRAMES = 1000  # frames at a time
_REPORT_INTERVAL = 1.0  # seconds from one reported conflict to the next
_ADVERTISEMENT = 136  # RFC 4861, 4.4
_ICMP6_FILTER = 1  # linux/icmpv6.h


def send_frames(device: str, frames: Sequence[bytes]) -> None:
    """Send whole Ethernet frames over an interface; raise LvsdrError."""
    wire = _open_packet_socket(device, 0)  # protocol 0 receives nothing
    try:
        for frame in frames:
            wire.send(frame)
    except OSError as error:
        raise LvsdrError(f"cannot send on {device}: {error.strerror}") from None
    finally:
        wire.close()


def find_conflict(
    device: str,
    mac: str,
    address: str,
    own_macs: Collection[str],
    deadline: Deadline,
    patience: Sequence[float] = PATIENCE,
    *,
    among_equals: bool = False,
) -> str | None:
    """Return the MAC of a neighbour that has the IPv4 address, or wants it at this moment.

    ``patience`` has the seconds to listen after each probe; without a conflict, all of them pass.
    ``mac`` belongs to the interface; ``own_macs`` are all MACs of this node.  ``among_equals``
    limits the hosts that only probe for the address to those with a lower MAC than ``mac``.  Raises
    LvsdrError if the interface cannot be used or the time is up.
    """
    wire = _open_packet_socket(device, ARP)
    try:
        probe = build_arp_probe(mac, address)
        for seconds in patience:
            deadline.require(f"the ARP probes for {address}")
            wire.send(probe)
            for claim in _receive_claims(wire, address, own_macs, deadline.limit_to(seconds)):
                if claim.precedes(mac) or not among_equals:
                    return claim.mac
        return None
    except OSError as error:
        raise LvsdrError(f"cannot probe for {address} on {device}: {error.strerror}") from None
    finally:
        wire.close()


def _receive_claims(
    wire: socket.socket, address: str, own_macs: Collection[str], until: Deadline
) -> Iterator[Claim]:
    """Yield claims of other hosts as they arrive."""
    poller = select.poll()
    poller.register(wire.fileno(), select.POLLIN)
    while not until.is_expired():
        for _ in poller.poll(until.remaining() * 1000):
            claim = parse_arp_claim(wire.recv(2048), address, own_macs)
            if claim is not None:
                yield claim


def watch_claims(
    device: str, address: str, own_macs: Collection[str], report: Callable[[str], None], bell: Bell
) -> None:
    """Report the MAC of each host that claims ``address``, until ``bell`` is stopped.

    A flood of claims is reported once a second.  ``own_macs`` are the MACs of this node.  Raises
    LvsdrError if the interface cannot be used.
    """
    wire = (
        _open_advertisement_socket(device) if ":" in address else _open_packet_socket(device, ARP)
    )
    parse_claim = parse_advertisement if ":" in address else parse_arp_claim
    poller = select.poll()
    poller.register(wire.fileno(), select.POLLIN)
    try:
        while not bell.is_stopped():
            frames = _receive_frames(wire, poller)
            claims = [parse_claim(frame, address, own_macs) for frame in frames]
            macs = [claim.mac for claim in claims if claim is not None and not claim.probing]
            if macs:
                report(macs[-1])
                bell.wait(_REPORT_INTERVAL)
    except OSError as error:
        raise LvsdrError(f"cannot listen on {device}: {error.strerror}") from None
    finally:
        wire.close()


def _receive_frames(wire: socket.socket, poller: select.poll) -> list[bytes]:
    """Return all frames that have arrived, or the first that arrives within a second."""
    frames: list[bytes] = []
    wait = _TICK_MS
    while len(frames) < _MOST_FRAMES and poller.poll(wait):
        frames.append(wire.recv(2048))
        wait = 0
    return frames


def _open_advertisement_socket(device: str) -> socket.socket:
    """Open a socket for the neighbour advertisements of IPv6 on an interface (RFC 3542, 3.2)."""
    number = _ADVERTISEMENT
    words = [0xFFFFFFFF] * 8
    words[number >> 5] &= ~(1 << (number & 31))
    try:
        wire = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    except OSError as error:
        raise LvsdrError(f"cannot open a raw socket: {error.strerror}") from None
    try:
        icmp_filter = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
        wire.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, icmp_filter)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    except OSError as error:
        wire.close()
        raise LvsdrError(f"cannot use {device}: {error.strerror}") from None
    return wire


def _open_packet_socket(device: str, protocol: int) -> socket.socket:
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
