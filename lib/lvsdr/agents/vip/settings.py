"""The parameters of the agent vip, typed, and their comparison with an interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...address import interfaces as shared
from ...address.interfaces import LONGEST_NAME, ConnectedNetwork, Interface
from ...address.interfaces import Place as Place
from ...address.interfaces import find_entry as find_entry
from ...errors import BadArgument
from ...ocf.parameters import Values
from ...values.light_typing import NamedTuple
from . import parameters as p


class WantedPlace(NamedTuple):
    """The place of the address in the parameters; None for parts that are not set."""

    address: str
    prefix: int | None
    nic: str | None


class AddressSettings(NamedTuple):
    """The parameters, typed and in order; ``arp_interval`` in seconds."""

    wanted_place: WantedPlace
    iflabel: str | None
    arp_count: int
    arp_interval: float
    arp_count_refresh: int
    duplicate_check: bool
    check_link: bool
    noprefixroute: bool
    preferred_lft: int | None


def read_wanted_place(values: Values) -> WantedPlace:
    return WantedPlace(values[p.IP], values[p.NETMASK], values[p.NIC])


def read_settings(values: Values) -> AddressSettings:
    """Return all of the parameters."""
    preferred = values[p.PREFERRED_LFT]
    return AddressSettings(
        wanted_place=read_wanted_place(values),
        iflabel=values[p.IFLABEL],
        arp_count=values[p.ARP_COUNT],
        arp_interval=values[p.ARP_INTERVAL] / 1000,
        arp_count_refresh=values[p.ARP_COUNT_REFRESH],
        duplicate_check=values[p.DUPLICATE_CHECK],
        check_link=values[p.CHECK_LINK],
        noprefixroute=values[p.NOPREFIXROUTE],
        preferred_lft=None if preferred == p.FOREVER else preferred,
    )


def choose_interface(
    wanted: WantedPlace, interfaces: Sequence[Interface], networks: Sequence[ConnectedNetwork]
) -> tuple[Interface, int]:
    """Return the interface for the address, and its prefix length.

    ``networks`` has the connected networks that contain the address, best first.  It may be empty
    if the parameters give interface and prefix.  Raise BadArgument if this node has no place for
    the address.
    """
    interface = (
        _find_interface(wanted, interfaces)
        if wanted.nic
        else _find_connected_interface(wanted, interfaces, networks)
    )
    if interface.loopback:
        raise BadArgument(
            f"nic={interface.name}: is a loopback interface, on which other hosts cannot reach "
            f"{wanted.address}; the agent lvsdr-realsvr puts addresses there"
        )
    if wanted.prefix is not None:
        return interface, wanted.prefix
    for network in networks:
        if network.device == interface.name:
            return interface, network.prefix
    raise BadArgument(
        f"{interface.name} is not connected to a network of {wanted.address}: set cidr_netmask"
    )


def _find_interface(wanted: WantedPlace, interfaces: Sequence[Interface]) -> Interface:
    for interface in interfaces:
        if interface.has_name(wanted.nic or ""):
            return interface
    raise BadArgument(f"nic={wanted.nic}: this node has no such interface")


def _find_connected_interface(
    wanted: WantedPlace, interfaces: Sequence[Interface], networks: Sequence[ConnectedNetwork]
) -> Interface:
    by_name = {interface.name: interface for interface in interfaces if not interface.loopback}
    for network in networks:
        if network.device in by_name:
            return by_name[network.device]
    raise BadArgument(
        f"no interface of this node is connected to a network of {wanted.address}: set nic"
    )


def build_label(wanted: AddressSettings, device: str) -> str:
    """Return the whole label; empty for IPv6, which has no labels."""
    return shared.format_label(wanted.wanted_place.address, device, wanted.iflabel)


def require_label(wanted: AddressSettings, device: str) -> None:
    """Raise BadArgument if the label would be too long on this interface."""
    whole = build_label(wanted, device)
    if len(whole) > LONGEST_NAME:
        raise BadArgument(
            f"iflabel={wanted.iflabel}: {whole} has {len(whole)} characters, "
            f"a label at most {LONGEST_NAME}"
        )


def find_misplacement(place: Place, interface: Interface, asked: WantedPlace | None) -> str | None:
    """Return the flaw in the place or the identity of the address; None if there is none.

    ``place`` is where start put it.  ``asked`` is the place in the current parameters, or None if
    they are broken.
    """
    if asked is not None and asked.address != place.address:
        return f"{place.address} is on {place.device}, but ip={asked.address}"
    if asked is not None and asked.nic is not None and not interface.has_name(asked.nic):
        return f"{place.address} is on {place.device}, but nic={asked.nic}"
    prefix = (asked.prefix if asked is not None else None) or place.prefix
    there = interface.find_entries(place.address)
    if all(found.prefix != prefix for found in there):
        return f"prefix of {place.address} on {place.device} is {there[0].prefix}, not {prefix}"
    if all(found.peer for found in there):
        return f"{place.address} on {place.device} has the peer {there[0].peer}"
    if any(found.dadfailed for found in there):
        return f"{place.address} is in use by another host on the segment of {place.device}"
    return None


def find_differences(place: Place, interface: Interface, wanted: AddressSettings) -> Iterator[str]:
    """Yield the differences from the parameters that do not keep clients from the address."""
    found, whole = find_entry(interface, place), build_label(wanted, place.device)
    if found is None:
        return
    if found.label != whole:
        yield f"its label is {found.label}, wanted {whole}"
    if found.noprefixroute != wanted.noprefixroute:
        yield f"it has {'no' if found.noprefixroute else 'a'} route to its network"
    if found.deprecated and wanted.preferred_lft is None:
        yield "it is deprecated as a source"
    if not found.deprecated and wanted.preferred_lft == 0:
        yield "it may be chosen as a source"
