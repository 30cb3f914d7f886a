"""The MAC of a neighbour with an IPv6 address, by the kernel's neighbour table."""

from __future__ import annotations

import _socket as socket
import time
from contextlib import suppress

from ...address.interfaces import Interface
from ...errors import LvsdrError
from ...values.deadline import Deadline
from . import addresses

_DISCARD = 9  # the discard port (RFC 863); no process needs to listen there
_PATIENCE = 1.0  # seconds
_TICK = 0.1


def find_mac(address: str, interface: Interface, deadline: Deadline) -> str | None:
    """Return the MAC of the neighbour with this IPv6 address; None without a timely answer.

    A neighbour has one second to answer.
    """
    patience = deadline.limit_to(_PATIENCE)
    with suppress(LvsdrError, OSError):
        _send_empty_datagram(address, interface)
        while not patience.is_expired():
            mac = addresses.read_neighbour_mac(address, interface.name, deadline)
            if mac is not None:
                return mac
            time.sleep(_TICK)
    return None


def _send_empty_datagram(address: str, interface: Interface) -> None:
    """Send an empty datagram, which makes the kernel resolve the neighbour's MAC."""
    wire = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        wire.sendto(b"", (address, _DISCARD, 0, interface.number))
    finally:
        wire.close()
