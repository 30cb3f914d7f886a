"""The current state of an address: on the interface, and on other hosts.  Changes nothing."""

from __future__ import annotations

from ..address import commands
from ..address.interfaces import Interface, Place
from ..errors import LvsdrError
from ..system.net import addresses, ip_address
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from .address_machine import Presence, ProbeResult
from .wanted_addresses import WantedAddress

# Seconds to listen after each probe for the address.  Their sum is below the shortest settle time
# of a new leader (SETTLE in options.py).  An owner of the address answers within milliseconds.
_PATIENCE = (0.15, 0.15, 0.2)
_SECONDS = 10.0  # the deadline of a probe


class AddressProperties(NamedTuple):
    """The properties of an address as ip(8) sets them by default."""

    iflabel: str | None = None
    duplicate_check: bool = True
    noprefixroute: bool = False
    preferred_lft: int | None = None


DEFAULT_PROPERTIES = AddressProperties()


class ConflictProbe:
    """A probe for another owner of the address."""

    __slots__ = ("_interface", "_place")

    def __init__(self, place: Place, interface: Interface) -> None:
        self._place = place
        self._interface = interface

    def run(self) -> ProbeResult:
        """Probe for another owner, which takes half a second without an answer."""
        deadline = Deadline.after(_SECONDS)
        try:
            interfaces = addresses.read_interfaces(deadline)
            other_interface = ip_address.find_other_interface(
                self._place, self._interface, interfaces
            )
            if other_interface is not None:
                return ProbeResult(
                    problem=f"{self._place.address} is on {other_interface} of this node already"
                )
            place, interface = self._place, self._interface
            return ProbeResult(
                ip_address.find_rival(
                    place, interface, interfaces, deadline, _PATIENCE, among_equals=True
                )
            )
        except LvsdrError as error:
            return ProbeResult(problem=str(error))


def determine_presence(wanted: WantedAddress, interface: Interface | None) -> Presence:
    """Return the state of the address on the interface, compared with the wanted one."""
    entries = interface.find_entries(wanted.address) if interface is not None else ()
    if interface is None or not entries:
        return Presence.ABSENT
    if any(entry.dadfailed for entry in entries):
        return Presence.REFUSED
    if commands.build_change_commands(
        Place(wanted.address, wanted.prefix, interface.name), DEFAULT_PROPERTIES, interface
    ):
        return Presence.DIFFERENT
    return Presence.TENTATIVE if any(entry.tentative for entry in entries) else Presence.PRESENT
