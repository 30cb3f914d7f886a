"""Commands of ip(8) that bring an interface's entry for the address to the wanted state.

They avoid removing the address.  The kernel cannot relabel an IPv4 address.  A temporary entry with
another prefix keeps the address alive while its own entry is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable

from .interfaces import Interface, InterfaceAddress, Place, find_entry, format_label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class WantedProperties(Protocol):
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


def build_change_commands(
    place: Place, properties: WantedProperties, interface: Interface
) -> list[str]:
    """Return the commands that lead from the present entries to the wanted one, if any."""
    entry = find_entry(interface, place)
    strays = [other for other in interface.find_entries(place.address) if other is not entry]
    if entry is None and ":" in place.address:
        # An interface has an IPv6 address only once: remove the entry with another prefix first.
        return [*build_remove_commands(place.device, strays), build_add_command(place, properties)]
    if entry is None:
        # To the kernel, an entry with a peer in the same network is the same address.
        peer_strays = [stray for stray in strays if stray.peer]
        other_strays = [stray for stray in strays if not stray.peer]
        device = place.device
        return [
            *build_remove_commands(device, peer_strays),
            build_add_command(place, properties),
            *build_remove_commands(device, other_strays),
        ]
    lines = _build_correction_commands(place, properties, entry)
    return lines + [
        line for line in build_remove_commands(place.device, strays) if line not in lines
    ]


def build_add_command(place: Place, properties: WantedProperties) -> str:
    ipv6 = ":" in place.address
    words = [f"address add {place.address}/{place.prefix} dev {place.device}"]
    if ipv6 and not properties.duplicate_check:
        words.append("nodad")
    if not ipv6:
        words.append(f"label {_format_label(place, properties)}")
        words += ["broadcast +"] if place.prefix <= 30 else []
    return " ".join([*words, *_build_flags(properties)])


def build_remove_commands(device: str, entries: Iterable[InterfaceAddress]) -> list[str]:
    """Return the commands that remove all of these entries, with any prefix and peer."""
    return [f"address delete {_format_entry(entry)} dev {device}" for entry in entries]


def _format_entry(entry: InterfaceAddress) -> str:
    peer = f" peer {entry.peer}" if entry.peer else ""
    return f"{entry.address}{peer}/{entry.prefix}"


def _build_correction_commands(
    place: Place, properties: WantedProperties, entry: InterfaceAddress
) -> list[str]:
    ipv6 = ":" in place.address
    has_other_label = entry.label != _format_label(place, properties)
    has_other_route = entry.noprefixroute != properties.noprefixroute
    if not ipv6 and (has_other_label or has_other_route):
        # The stopgap has another prefix, and adds no route that could attract traffic.
        stopgap_prefix = 32 if place.prefix != 32 else 31
        stopgap = f"{place.address}/{stopgap_prefix} dev {place.device}"
        return [
            f"address replace {stopgap} noprefixroute",
            *build_remove_commands(place.device, [entry]),
            build_add_command(place, properties),
            f"address delete {stopgap}",
        ]
    if has_other_route or entry.preferred_lft != properties.preferred_lft:
        location = f"{place.address}/{place.prefix} dev {place.device}"
        return [" ".join([f"address change {location}", *_build_flags(properties)])]
    return []


def _format_label(place: Place, properties: WantedProperties) -> str:
    return format_label(place.address, place.device, properties.iflabel)


def _build_flags(properties: WantedProperties) -> list[str]:
    preferred_lft = "forever" if properties.preferred_lft is None else properties.preferred_lft
    lifetimes = f"valid_lft forever preferred_lft {preferred_lft}"
    return [lifetimes, "noprefixroute"] if properties.noprefixroute else [lifetimes]
