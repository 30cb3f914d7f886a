"""The claim, the announcement and the release of the address: all steps that change the node."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ...address.interfaces import Interface
from ...errors import LvsdrError
from ...ocf.context import Context
from ...system.net import addresses, announcer, arp, ip_address, neighbours
from ...system.net.announcer import Process, Rounds
from ...values.deadline import Deadline
from .saved_place import SavedPlace, recall, store
from .settings import AddressSettings, Place, find_entry

_TICK = 0.1  # seconds between checks of the link or of duplicate address detection
_LINK_PATIENCE = 5.0  # seconds for the link of an interface that was down
_DAD_PATIENCE = 10.0  # seconds; RFC 4862 takes up to 2 with the kernel's defaults


def set_up_interface(
    place: Place, interfaces: Sequence[Interface], wanted: AddressSettings, context: Context
) -> Interface:
    """Return the interface, set up, with a working link if that is required.

    Raise LvsdrError if the link does not come.
    """
    interface = next(one for one in interfaces if one.name == place.device)
    if not interface.up:
        addresses.execute_commands([f"link set dev {place.device} up"], context.deadline)
        context.log.info(f"interface {place.device} set up")
        patience = context.deadline.limit_to(_LINK_PATIENCE)
        interface = _read_interface(place, context.deadline)
        while not interface.carrier and not patience.is_expired():
            time.sleep(_TICK)
            interface = _read_interface(place, context.deadline)
    if wanted.check_link and not interface.carrier:
        raise LvsdrError(f"no carrier on {place.device}")
    return interface


def leave_old_place(
    old: Place | None, new: Place, interfaces: Sequence[Interface], context: Context
) -> None:
    """Remove the address that was started before, if the parameters have changed to another one."""
    if old is not None and (old.address, old.device) != (new.address, new.device):
        for interface in interfaces:
            if interface.name == old.device and not interface.loopback:
                remove_address(old.address, interface, context)


def refuse_conflict(
    place: Place,
    interface: Interface,
    interfaces: Sequence[Interface],
    wanted: AddressSettings,
    deadline: Deadline,
) -> None:
    """Raise LvsdrError if another host or another interface of this node has the address."""
    other = ip_address.find_other_interface(place, interface, interfaces)
    if other is not None:
        raise LvsdrError(f"{place.address} is on {other} of this node already")
    if wanted.duplicate_check:
        mac = ip_address.find_rival(place, interface, interfaces, deadline)
        if mac is not None:
            raise LvsdrError(f"{place.address} is in use by {mac} on the segment of {place.device}")


def keep_sysctls(place: Place, context: Context) -> None:
    """Set promote_secondaries: deleting a primary IPv4 address keeps its secondaries."""
    claims = context.claims()
    context.log.info(*ip_address.claim_sysctls(place, claims))
    context.log.warning(*claims.trouble)


def establish_address(
    place: Place, interface: Interface, wanted: AddressSettings, context: Context
) -> bool:
    """Make the address as wanted, and wait until it works; return whether a change was necessary.

    Raise LvsdrError if the kernel refuses the address.  If duplicate address detection finds
    another owner or does not end in time, the address is removed again before the error.
    """
    changed = ip_address.configure(place, interface, wanted, context.deadline)
    patience = context.deadline.limit_to(_DAD_PATIENCE)
    while True:
        interface = _read_interface(place, context.deadline)
        found = find_entry(interface, place)
        if found is None:
            raise LvsdrError(
                f"{place.address}/{place.prefix} is missing on {place.device}, "
                "although the kernel accepted it"
            )
        if found.dadfailed or (found.tentative and patience.is_expired()):
            remove_address(place.address, interface, context)
            raise LvsdrError(_explain_failure(place, interface, context, duplicate=found.dadfailed))
        if not found.tentative or not interface.carrier:
            break
        time.sleep(_TICK)
    if changed:
        context.log.info(f"{place.address}/{place.prefix} is on {place.device} as wanted")
    return changed


def _explain_failure(
    place: Place, interface: Interface, context: Context, *, duplicate: bool
) -> str:
    if not duplicate:
        return (
            f"duplicate address detection for {place.address} did not end in time: address removed"
        )
    mac = neighbours.find_mac(place.address, interface, context.deadline)
    return f"{place.address} is in use by {mac or 'another host'} on the segment of {place.device}"


def remove_address(address: str, interface: Interface, context: Context) -> None:
    """Delete the address with any prefix from the interface; raise LvsdrError if it stays."""
    if ip_address.remove(address, interface, context.deadline):
        context.log.info(f"{address} removed from {interface.name}")


def _read_interface(place: Place, deadline: Deadline) -> Interface:
    found = addresses.read_interfaces(deadline, place.device)
    if not found:
        raise LvsdrError(f"interface {place.device} is gone")
    return found[0]


def take_address(
    place: Place, interface: Interface, wanted: AddressSettings, context: Context
) -> None:
    """Add the address or adopt it, wait until it works, and announce it; raise LvsdrError."""
    path = context.file("state")
    store(path, SavedPlace(place))  # stop needs the place, even if this run is killed next
    keep_sysctls(place, context)
    establish_address(place, interface, wanted, context)
    announce_address(path, place, interface, wanted.arp_count, wanted.arp_interval)


def announce_address(
    path: str, place: Place, interface: Interface, times: int, interval: float
) -> None:
    """Announce the address at once, and again in the background until ``times`` is reached.

    The interval is in seconds.  Send nothing on an interface without neighbours.  ``path`` is the
    state file, which records the process that goes on sending.  Raise LvsdrError if sending fails.
    """
    if not ip_address.can_announce(interface):
        return
    frames = ip_address.build_announcement(place, interface)
    arp.send_frames(interface.name, frames)
    if times > 1:
        rounds = Rounds(interface.name, frames, times - 1, interval)
        announcer.begin(
            rounds,
            lambda process: store(path, recall(path)._replace(announcer=process)),
            lambda process: recall(path).announcer == process,
        )


def end_announcements(path: str) -> None:
    """End the process that goes on announcing, if there is one."""
    process: Process | None = recall(path).announcer
    if process is not None:
        announcer.end(process)
