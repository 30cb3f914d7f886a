"""The place of the address: the wanted one, and the one on this node.  Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ...address.interfaces import Interface
from ...errors import InvalidParameters, LvsdrError, NotInstalled
from ...ocf.context import Context
from ...system.net import addresses
from ...values.light_typing import NamedTuple
from .parameters import IDENTITY
from .saved_place import recall
from .settings import (
    AddressSettings,
    Place,
    WantedPlace,
    choose_interface,
    read_wanted_place,
    require_label,
)


class AddressSearch(NamedTuple):
    """The result of a search for the address."""

    location: tuple[Place, Interface] | None
    """The place of the address with its intended prefix; None if it is not there."""
    absence: str
    """The reason why the address is not there; empty if it is."""
    wanted: WantedPlace | None
    """The place in the parameters; None if they are broken."""


def parse_wanted_place(context: Context) -> WantedPlace | None:
    """Return the place in the parameters; None if they are broken."""
    try:
        return read_wanted_place(IDENTITY.parse(context.environ))
    except InvalidParameters:
        return None


def search_address(context: Context) -> AddressSearch:
    """Look for the address where start put it, or else where it would; raise LvsdrError.

    Loopback interfaces are skipped: there the address is a real server's.
    """
    wanted = parse_wanted_place(context)
    sought = _choose_search(context, wanted)
    if sought is None or sought.nic is None:
        absence = "no interface of this node is connected to a network of the address"
        return AddressSearch(None, absence, wanted)
    interfaces = addresses.read_interfaces(context.deadline, sought.nic)
    if not interfaces or interfaces[0].loopback:
        return AddressSearch(None, f"interface {sought.nic} is gone", wanted)
    interface = interfaces[0]
    there = interface.find_entries(sought.address)
    if not there:
        return AddressSearch(None, f"{sought.address} is not on {interface.name}", wanted)
    prefix = there[0].prefix if sought.prefix is None else sought.prefix
    place = Place(sought.address, prefix, interface.name)
    return AddressSearch((place, interface), "", wanted)


def search_without_ban(context: Context) -> AddressSearch:
    """Look for the address like ``search_address``, but never raise NotInstalled.

    That error would ban the resource from this node for good.
    """
    try:
        return search_address(context)
    except NotInstalled as error:
        raise LvsdrError(f"cannot look for the address: {error}") from None


def _choose_search(context: Context, wanted: WantedPlace | None) -> WantedPlace | None:
    """Return the place that start stored, or else the wanted one of the parameters.

    A stored place needs no routes, and stays valid when the parameters change.
    """
    saved = recall(context.file("state")).place
    if saved is not None:
        return WantedPlace(*saved)
    if wanted is None or not context.have_binary("ip"):
        return None  # without ip(8), start cannot have put it there
    if wanted.nic is not None:
        return wanted
    for network in addresses.read_connected_networks(wanted.address, context.deadline):
        if network.device != "lo":
            prefix = network.prefix if wanted.prefix is None else wanted.prefix
            return wanted._replace(nic=network.device, prefix=prefix)
    return None


def choose_destination(
    context: Context, wanted: AddressSettings
) -> tuple[Place, Sequence[Interface]]:
    """Return the intended place of the address, and all interfaces.

    Raise BadArgument if this node has no place for the address.
    """
    address, prefix, nic = wanted.wanted_place
    known = prefix is not None and nic is not None
    networks = () if known else addresses.read_connected_networks(address, context.deadline)
    interfaces = addresses.read_interfaces(context.deadline)
    interface, prefix = choose_interface(wanted.wanted_place, interfaces, networks)
    require_label(wanted, interface.name)
    return Place(address, prefix, interface.name), interfaces
