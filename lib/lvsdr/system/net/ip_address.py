"""The claim, the announcement and the release of an address, and checks for conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from ...address import commands
from ...address.frames import build_announcement_frames
from ...address.interfaces import Interface, Place
from ...errors import LvsdrError
from ...values.deadline import Deadline
from .. import sysctl
from . import addresses, arp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...address.commands import WantedProperties


def find_other_interface(
    place: Place, interface: Interface, interfaces: Sequence[Interface]
) -> str | None:
    """Return another interface of this node that has the address, or None.

    Interfaces without neighbours do not count: real servers have the address on such interfaces.
    """
    for other in interfaces:
        is_relevant = other.name != interface.name and other.arp and not other.loopback
        if is_relevant and other.find_entries(place.address):
            return other.name
    return None


def find_rival(
    place: Place,
    interface: Interface,
    interfaces: Sequence[Interface],
    deadline: Deadline,
    patience: Sequence[float] = arp.PATIENCE,
    *,
    among_equals: bool = False,
) -> str | None:
    """Return the MAC of a neighbour that has the IPv4 address; raise LvsdrError.

    The kernel itself looks for the owner of an IPv6 address once it has the address.  If
    ``among_equals``, hosts that only probe for the address and have to give way do not count.
    """
    if ":" in place.address or not can_announce(interface):
        return None
    own_macs = {each.mac for each in interfaces}
    device, mac, address = place.device, interface.mac, place.address
    return arp.find_conflict(
        device, mac, address, own_macs, deadline, patience, among_equals=among_equals
    )


def claim_sysctls(place: Place, claims: sysctl.Claims) -> list[str]:
    """Set promote_secondaries, so that deleting a primary IPv4 address keeps its secondaries.

    Return a sentence for each changed setting; raise LvsdrError.
    """
    if ":" in place.address:
        return []
    return claims.claim({f"net/ipv4/conf/{place.device}/promote_secondaries": "1"})


def configure(
    place: Place, interface: Interface, properties: WantedProperties, deadline: Deadline
) -> bool:
    """Bring the address to the wanted state, and return whether a change was necessary.

    The address may not work yet: the kernel may still be looking for a duplicate.  Raise LvsdrError
    if the kernel refuses.
    """
    lines = commands.build_change_commands(place, properties, interface)
    addresses.execute_commands(lines, deadline)
    return bool(lines)


def remove(address: str, interface: Interface, deadline: Deadline) -> bool:
    """Delete the address with any prefix from the interface; return whether it was there.

    Raise LvsdrError if it stays.
    """
    lines = commands.build_remove_commands(interface.name, interface.find_entries(address))
    if not lines:
        return False
    addresses.execute_commands(lines, deadline)
    for current in addresses.read_interfaces(deadline, interface.name):
        if current.find_entries(address):
            raise LvsdrError(f"{address} is still on {interface.name}")
    return True


def can_announce(interface: Interface) -> bool:
    """Test whether the interface can have neighbours that understand these frames."""
    return interface.carrier and interface.arp and interface.kind == "ether"


def build_announcement(place: Place, interface: Interface) -> tuple[bytes, ...]:
    """Return the frames that announce the address to all neighbours; raise LvsdrError."""
    return build_announcement_frames(interface.mac, place.address, _is_router(place))


def announce(place: Place, interface: Interface) -> None:
    """Announce the address once, unless the interface has no neighbours; raise LvsdrError."""
    if can_announce(interface):
        arp.send_frames(interface.name, build_announcement(place, interface))


def _is_router(place: Place) -> bool:
    """Test whether the node is a router on that interface: advertisements report it (RFC 4861)."""
    if ":" not in place.address:
        return False
    return sysctl.read_value(f"net/ipv6/conf/{place.device}/forwarding") != "0"
