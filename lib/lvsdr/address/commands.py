"""Commands of ip(8) that bring an interface's entry for the address to the wanted state.

They avoid removing the address.  The kernel cannot relabel an IPv4 address.  A temporary entry with
another prefix keeps the address alive while its own entry is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable

from .interfaces import Interface, InterfaceAddress, Place, entry, label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Form(Protocol):
        """The wanted properties of the entry, apart from its place."""

        @property
        def iflabel(self) -> str | None:
            """Return the part of the label after the interface's name."""

        @property
        def duplicate_check(self) -> bool: ...

        @property
        def noprefixroute(self) -> bool: ...

        @property
        def preferred_lft(self) -> int | None:
            """Return seconds, or None for ever."""


def to_reach(place: Place, wanted: Form, interface: Interface) -> list[str]:
    """Return the commands that lead from the present entries to the wanted one, if any."""
    found = entry(interface, place)
    strays = [other for other in interface.having(place.address) if other is not found]
    if found is None and ":" in place.address:
        # An interface has an IPv6 address only once: remove the entry with another prefix first.
        return [*to_remove(place.device, strays), to_add(place, wanted)]
    if found is None:
        # To the kernel, an entry with a peer in the same network is the same address.
        first = [stray for stray in strays if stray.peer]
        last = [stray for stray in strays if not stray.peer]
        device = place.device
        return [*to_remove(device, first), to_add(place, wanted), *to_remove(device, last)]
    lines = _to_correct(place, wanted, found)
    return lines + [line for line in to_remove(place.device, strays) if line not in lines]


def to_add(place: Place, wanted: Form) -> str:
    ipv6 = ":" in place.address
    words = [f"address add {place.address}/{place.prefix} dev {place.device}"]
    if ipv6 and not wanted.duplicate_check:
        words.append("nodad")
    if not ipv6:
        words.append(f"label {_label(place, wanted)}")
        words += ["broadcast +"] if place.prefix <= 30 else []
    return " ".join([*words, *_flags(wanted)])


def to_remove(device: str, entries: Iterable[InterfaceAddress]) -> list[str]:
    """Return the commands that remove all of these entries, with any prefix and peer."""
    return [f"address delete {_written(found)} dev {device}" for found in entries]


def _written(found: InterfaceAddress) -> str:
    peer = f" peer {found.peer}" if found.peer else ""
    return f"{found.address}{peer}/{found.prefix}"


def _to_correct(place: Place, wanted: Form, found: InterfaceAddress) -> list[str]:
    ipv6 = ":" in place.address
    relabelled = found.label != _label(place, wanted)
    rerouted = found.noprefixroute != wanted.noprefixroute
    if not ipv6 and (relabelled or rerouted):
        # The stopgap has another prefix, and adds no route that could attract traffic.
        other = 32 if place.prefix != 32 else 31
        stopgap = f"{place.address}/{other} dev {place.device}"
        return [
            f"address replace {stopgap} noprefixroute",
            *to_remove(place.device, [found]),
            to_add(place, wanted),
            f"address delete {stopgap}",
        ]
    if rerouted or found.preferred_lft != wanted.preferred_lft:
        where = f"{place.address}/{place.prefix} dev {place.device}"
        return [" ".join([f"address change {where}", *_flags(wanted)])]
    return []


def _label(place: Place, wanted: Form) -> str:
    return label(place.address, place.device, wanted.iflabel)


def _flags(wanted: Form) -> list[str]:
    preferred = "forever" if wanted.preferred_lft is None else wanted.preferred_lft
    lifetimes = f"valid_lft forever preferred_lft {preferred}"
    return [lifetimes, "noprefixroute"] if wanted.noprefixroute else [lifetimes]
