"""Guards of an address on this node: they notice other hosts that claim the address."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from ..address.interfaces import Interface, Place
from ..system.net import addresses, arp
from ..system.net.first_answer import Bell
from ..system.net.ip_address import can_announce
from ..values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .holder import Holder

_DEFEND_INTERVAL = 10.0  # DEFEND_INTERVAL in seconds (RFC 5227, 1.1)
_SECONDS = 10.0  # to list the interfaces of this host


class Guard:
    """A guard of one address on one interface, until ``bell`` is stopped."""

    __slots__ = ("_interface", "_place", "bell", "holder")

    def __init__(self, holder: Holder, place: Place, interface: Interface) -> None:
        self.holder = holder
        self.bell = Bell()
        self._place = place
        self._interface = interface

    def suits(self, place: Place, interface: Interface) -> bool:
        """Return whether this guard still covers the address at this place."""
        known = self._interface
        same = (known.number, known.mac) == (interface.number, interface.mac)
        return same and self._place == place and not self.bell.stopped()

    def watch(self, tell: Callable[[str], None]) -> None:
        """Report the MAC of each host that claims the address; blocks its thread.

        Raises LvsdrError if the interface cannot be used for listening.
        """
        if not can_announce(self._interface):
            self.bell.wait(_SECONDS)
            return
        own = {one.mac for one in addresses.interfaces(Deadline.after(_SECONDS))}
        arp.watch(self._place.device, self._place.address, own, tell, self.bell)


class Defence:
    """The defence of an address: one announcement, at most every 10 s (RFC 5227, 2.4 (b))."""

    def __init__(self) -> None:
        self._guard: Guard | None = None
        self._rival = ""
        self._begun = -inf
        self._defending = False

    @property
    def due(self) -> float | None:
        """Return the time of the next defence; None without a claim since the last defence."""
        return self._begun + _DEFEND_INTERVAL if self._rival else None

    def guards(self, place: Place, interface: Interface) -> bool:
        """Return whether the address is guarded at this place."""
        return self._guard is not None and self._guard.suits(place, interface)

    def guard(self, holder: Holder, place: Place, interface: Interface) -> Guard:
        """Return a new guard for the address, which replaces any other."""
        self.end()
        self._guard = Guard(holder, place, interface)
        return self._guard

    def end(self) -> None:
        """End the guard."""
        if self._guard is not None:
            self._guard.bell.stop()
        self._guard, self._rival = None, ""

    def claimed(self, guard: Guard, mac: str) -> None:
        """Record another host's claim, unless it comes from an earlier guard."""
        if guard is self._guard:
            self._rival = mac

    def begin(self, now: float) -> str:
        """Begin a defence, if one is due; return the MAC of the other host, or an empty text."""
        if self.due is None or now < self.due:
            return ""
        rival, self._rival = self._rival, ""
        self._begun, self._defending = now, True
        return rival

    def over(self) -> bool:
        """End a defence with its announcement; return False if there was none."""
        defending, self._defending = self._defending, False
        return defending
