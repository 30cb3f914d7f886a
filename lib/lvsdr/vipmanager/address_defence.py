"""The defence of an address: announcements, and guards that notice claims of other hosts."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

from ..address.interfaces import Interface, Place
from ..system.net import addresses, arp, ip_address
from ..system.net.first_answer import Bell
from ..system.net.ip_address import can_announce
from ..values.deadline import Deadline

_ROUNDS = 5  # announcements of an address, and the seconds between them, as in IPaddr2
_ROUND = 0.2
_DEFEND_INTERVAL = 10.0  # DEFEND_INTERVAL in seconds (RFC 5227, 1.1)
_SECONDS = 10.0  # to list the interfaces of this host


class AnnouncementRounds:
    """Repeated announcements of an address."""

    def __init__(self) -> None:
        self._remaining, self._next = 0, 0.0

    @property
    def due(self) -> float | None:
        """Return the time of the next announcement; None without one."""
        return self._next if self._remaining else None

    def begin(self, number: int = _ROUNDS) -> None:
        """Make the first of some announcements due at once."""
        self._remaining, self._next = number, 0.0

    def cancel(self) -> None:
        self._remaining = 0

    def announce_if_due(self, place: Place, interface: Interface) -> None:
        """Announce the address, if it is time; raise LvsdrError."""
        now = time.monotonic()
        if self._remaining and now >= self._next:
            self._remaining, self._next = self._remaining - 1, now + _ROUND
            ip_address.announce(place, interface)


class AddressGuard:
    """A guard of one address on one interface, until ``bell`` is stopped."""

    __slots__ = ("_interface", "_place", "bell")

    def __init__(self, place: Place, interface: Interface) -> None:
        self.bell = Bell()
        self._place = place
        self._interface = interface

    def covers(self, place: Place, interface: Interface) -> bool:
        """Return whether this guard covers the address at this place."""
        guarded = self._interface
        is_same_interface = (guarded.number, guarded.mac) == (interface.number, interface.mac)
        return is_same_interface and self._place == place and not self.bell.is_stopped()

    def watch(self, report: Callable[[str], None]) -> None:
        """Report the MAC of each host that claims the address; blocks its thread.

        Raises LvsdrError if the interface cannot be used for listening.
        """
        if not can_announce(self._interface):
            self.bell.wait(_SECONDS)
            return
        own_macs = {
            interface.mac for interface in addresses.read_interfaces(Deadline.after(_SECONDS))
        }
        arp.watch_claims(self._place.device, self._place.address, own_macs, report, self.bell)


class AddressDefence:
    """The defence of an address: one announcement, at most every 10 s (RFC 5227, 2.4 (b))."""

    def __init__(self) -> None:
        self._guard: AddressGuard | None = None
        self._rival = ""
        self._began_at = -inf
        self._is_defending = False

    @property
    def due(self) -> float | None:
        """Return the time of the next defence; None without a claim since the last defence."""
        return self._began_at + _DEFEND_INTERVAL if self._rival else None

    def has_guard(self, place: Place, interface: Interface) -> bool:
        """Return whether the address is guarded at this place."""
        return self._guard is not None and self._guard.covers(place, interface)

    def start_guard(self, place: Place, interface: Interface) -> AddressGuard:
        """Return a new guard for the address, which replaces any other."""
        self.end()
        self._guard = AddressGuard(place, interface)
        return self._guard

    def end(self) -> None:
        """End the guard."""
        if self._guard is not None:
            self._guard.bell.stop()
        self._guard, self._rival = None, ""

    def record_claim(self, guard: AddressGuard, mac: str) -> None:
        """Record another host's claim, unless it comes from an earlier guard."""
        if guard is self._guard:
            self._rival = mac

    def begin(self, now: float) -> str:
        """Begin a defence, if one is due; return the MAC of the other host, or an empty text."""
        if self.due is None or now < self.due:
            return ""
        rival, self._rival = self._rival, ""
        self._began_at, self._is_defending = now, True
        return rival

    def finish(self) -> bool:
        """End the current defence; return False if there is none."""
        was_defending, self._is_defending = self._is_defending, False
        return was_defending
