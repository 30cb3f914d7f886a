"""Taking an address and giving it back: the steps that change the node, and who is in the way."""

from __future__ import annotations

from collections.abc import Sequence

from ..deadline import Deadline
from ..errors import LvsdrError
from ..interfaces import Interface, Place
from ..system import addresses, arp, sysctl
from . import commands
from .announcing import tellable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .commands import Form


def elsewhere(place: Place, interface: Interface, interfaces: Sequence[Interface]) -> str | None:
    """Another interface of this node that has the address.

    What has no neighbours does not count: real servers have it on such interfaces.
    """
    for other in interfaces:
        counts = other.name != interface.name and other.arp and not other.loopback
        if counts and other.having(place.address):
            return other.name
    return None


def rival(
    place: Place,
    interface: Interface,
    interfaces: Sequence[Interface],
    deadline: Deadline,
    patience: Sequence[float] = arp.PATIENCE,
    *,
    among_equals: bool = False,
) -> str | None:
    """Return the MAC of a neighbour that has the IPv4 address; raises LvsdrError.

    The kernel itself asks for the owner of an IPv6 address, once it has it.  ``among_equals``:
    hosts that only want the address, and have to give way to this one, do not count.
    """
    if ":" in place.address or not tellable(interface):
        return None
    own = {one.mac for one in interfaces}
    device, mac, address = place.device, interface.mac, place.address
    return arp.conflict(device, mac, address, own, deadline, patience, among_equals=among_equals)


def keep_sysctls(place: Place, claims: sysctl.Claims) -> list[str]:
    """Let no address of the interface go with another one: IPv4 has such dependents.

    Returns a sentence for each setting changed; raises LvsdrError.
    """
    if ":" in place.address:
        return []
    return claims.claim({f"net/ipv4/conf/{place.device}/promote_secondaries": "1"})


def reach(place: Place, interface: Interface, wanted: Form, deadline: Deadline) -> bool:
    """Bring the address to what is wanted, and say whether there was any need.

    That it works is another matter: the kernel may still be looking for a duplicate of it.  Raises
    LvsdrError if the kernel refuses.
    """
    lines = commands.to_reach(place, wanted, interface)
    addresses.change(lines, deadline)
    return bool(lines)


def remove(address: str, interface: Interface, deadline: Deadline) -> bool:
    """Delete the address from the interface, whatever its prefix; whether it was there.

    Raises LvsdrError if it stays.
    """
    lines = commands.to_remove(interface.name, interface.having(address))
    if not lines:
        return False
    addresses.change(lines, deadline)
    for left in addresses.interfaces(deadline, interface.name):
        if left.having(address):
            raise LvsdrError(f"{address} is still on {interface.name}")
    return True
