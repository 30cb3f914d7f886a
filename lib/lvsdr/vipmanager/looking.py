"""What is there: the address on the interface, and other owners of it.  Changes nothing."""

from __future__ import annotations

from ..address import commands, taking
from ..deadline import Deadline
from ..errors import LvsdrError
from ..interfaces import Interface, Place
from ..system import addresses
from ..typed import NamedTuple
from .configuration import Wanted
from .keeping import Finding, Presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .holder import Holder

# Seconds to listen after each question who has the address: together less than a new leader waits
# anyway.  Who has it answers within milliseconds.
_PATIENCE = (0.15, 0.15, 0.2)
_SECONDS = 10.0  # for a search


class Form(NamedTuple):
    """The entry for an address as ip(8) makes it if nobody says anything."""

    iflabel: str | None = None
    duplicate_check: bool = True
    noprefixroute: bool = False
    preferred_lft: int | None = None


FORM = Form()


class Asking:
    """A search for another owner of the address."""

    __slots__ = ("_interface", "_place", "holder")

    def __init__(self, holder: Holder, place: Place, interface: Interface) -> None:
        self.holder = holder
        self._place = place
        self._interface = interface

    def finding(self) -> Finding:
        """Ask, which takes half a second if nobody answers."""
        deadline = Deadline.after(_SECONDS)
        try:
            interfaces = addresses.interfaces(deadline)
            other = taking.elsewhere(self._place, self._interface, interfaces)
            if other is not None:
                return Finding(problem=f"{self._place.address} is on {other} of this node already")
            place, interface = self._place, self._interface
            return Finding(
                taking.rival(place, interface, interfaces, deadline, _PATIENCE, among_equals=True)
            )
        except LvsdrError as error:
            return Finding(problem=str(error))


def presence(wanted: Wanted, interface: Interface | None) -> Presence:
    """How the address is there, with what is wanted of it."""
    there = interface.having(wanted.address) if interface is not None else ()
    if interface is None or not there:
        return Presence.ABSENT
    if any(found.dadfailed for found in there):
        return Presence.REFUSED
    if commands.to_reach(Place(wanted.address, wanted.prefix, interface.name), FORM, interface):
        return Presence.DIFFERENT
    return Presence.TENTATIVE if any(found.tentative for found in there) else Presence.PRESENT
