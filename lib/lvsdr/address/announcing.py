"""Telling the neighbours who has an address now."""

from __future__ import annotations

from ..interfaces import Interface, Place
from ..packets import announcement
from ..system import arp, sysctl


def tellable(interface: Interface) -> bool:
    """Whether there can be neighbours that learn from such frames as are made here."""
    return interface.carrier and interface.arp and interface.kind == "ether"


def frames(place: Place, interface: Interface) -> tuple[bytes, ...]:
    """What all neighbours have to hear; raises LvsdrError."""
    return announcement(interface.mac, place.address, _forwards(place))


def announce(place: Place, interface: Interface) -> None:
    """Tell them once; where nobody can be told nothing is sent.  Raises LvsdrError."""
    if tellable(interface):
        arp.send(interface.name, frames(place, interface))


def _forwards(place: Place) -> bool:
    """Whether the node is a router on that interface (RFC 4861 wants it to say so)."""
    if ":" not in place.address:
        return False
    return sysctl.value(f"net/ipv6/conf/{place.device}/forwarding") != "0"
