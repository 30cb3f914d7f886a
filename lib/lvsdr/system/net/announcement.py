"""Announcements of an address to the neighbours."""

from __future__ import annotations

from ...address.frames import announcement
from ...address.interfaces import Interface, Place
from .. import sysctl
from . import arp


def tellable(interface: Interface) -> bool:
    """Test whether the interface can have neighbours that understand these frames."""
    return interface.carrier and interface.arp and interface.kind == "ether"


def frames(place: Place, interface: Interface) -> tuple[bytes, ...]:
    """Return the frames that announce the address to all neighbours; raise LvsdrError."""
    return announcement(interface.mac, place.address, _forwards(place))


def announce(place: Place, interface: Interface) -> None:
    """Announce the address once, unless the interface has no neighbours; raise LvsdrError."""
    if tellable(interface):
        arp.send(interface.name, frames(place, interface))


def _forwards(place: Place) -> bool:
    """Test whether the node is a router on that interface: advertisements report it (RFC 4861)."""
    if ":" not in place.address:
        return False
    return sysctl.value(f"net/ipv6/conf/{place.device}/forwarding") != "0"
