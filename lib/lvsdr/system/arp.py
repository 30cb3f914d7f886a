"""Frames on the wire: announce an address to the neighbours, ask them whether they have it."""

from __future__ import annotations

# Not socket: that wraps every constant in an enumeration, a tenth of all that a monitor does.
import _socket as socket
import select
from collections.abc import Collection, Sequence

from ..deadline import Deadline
from ..errors import LvsdrError
from ..packets import ARP, arp_probe, claimant

# RFC 5227 has 3 probes, too, but takes up to 7 s over them: no failover has as much time.
PATIENCE = (0.3, 0.3, 0.4)  # seconds to listen after each of them


def send(device: str, frames: Sequence[bytes]) -> None:
    """Send whole Ethernet frames over an interface; raises LvsdrError."""
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
) -> str | None:
    """The MAC of a neighbour that has the IPv4 address ``address``, or wants it at this moment.

    Takes as long as all of ``patience`` if nobody has: the seconds to listen after each question.
    ``mac`` is the interface's, ``own`` are all of this node.
    Raises LvsdrError if the interface cannot be used or the time is up.
    """
    wire = _open(device, ARP)
    try:
        probe = arp_probe(mac, address)
        for seconds in patience:
            deadline.require(f"asking whether {address} is in use")
            wire.send(probe)
            found = _listen(wire, address, own, deadline.sooner(seconds))
            if found is not None:
                return found
        return None
    except OSError as error:
        raise LvsdrError(f"cannot ask on {device} who has {address}: {error.strerror}") from None
    finally:
        wire.close()


def _listen(wire: socket.socket, address: str, own: Collection[str], until: Deadline) -> str | None:
    poller = select.poll()
    poller.register(wire.fileno(), select.POLLIN)
    while not until.expired():
        for _ in poller.poll(until.remaining() * 1000):
            found = claimant(wire.recv(2048), address, own)
            if found is not None:
                return found
    return None


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
