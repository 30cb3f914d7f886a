"""The current state of an address: on the interface, and on other hosts.  Changes nothing."""

from __future__ import annotations

from ..address import commands
from ..address.interfaces import Interface, Place
from ..errors import LvsdrError
from ..system.net import addresses, ip_address
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from .address_machine import Finding, Presence
from .wanted_addresses import WantedAddress

# Seconds to listen after each probe for the address.  Their sum is below the shortest settle time
# of a new leader (SETTLE in options.py).  An owner of the address answers within milliseconds.
_PATIENCE = (0.15, 0.15, 0.2)
_SECONDS = 10.0  # the deadline of a search


class Form(NamedTuple):
    """The properties of an address as ip(8) sets them by default."""

    iflabel: str | None = None
    duplicate_check: bool = True
    noprefixroute: bool = False
    preferred_lft: int | None = None


FORM = Form()


class Asking:
    """A search for another owner of the address."""

    __slots__ = ("_interface", "_place")

    def __init__(self, place: Place, interface: Interface) -> None:
        self._place = place
        self._interface = interface

    def finding(self) -> Finding:
        """Search for another owner, which takes half a second without an answer."""
        deadline = Deadline.after(_SECONDS)
        try:
            interfaces = addresses.interfaces(deadline)
            other = ip_address.elsewhere(self._place, self._interface, interfaces)
            if other is not None:
                return Finding(problem=f"{self._place.address} is on {other} of this node already")
            place, interface = self._place, self._interface
            return Finding(
                ip_address.rival(
                    place, interface, interfaces, deadline, _PATIENCE, among_equals=True
                )
            )
        except LvsdrError as error:
            return Finding(problem=str(error))


def presence(wanted: WantedAddress, interface: Interface | None) -> Presence:
    """Return the state of the address on the interface, compared with the wanted one."""
    there = interface.having(wanted.address) if interface is not None else ()
    if interface is None or not there:
        return Presence.ABSENT
    if any(found.dadfailed for found in there):
        return Presence.REFUSED
    if commands.to_reach(Place(wanted.address, wanted.prefix, interface.name), FORM, interface):
        return Presence.DIFFERENT
    return Presence.TENTATIVE if any(found.tentative for found in there) else Presence.PRESENT
