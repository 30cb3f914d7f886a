"""A virtual address on lo, read and changed with ip(8).

Changes apply only to this one address with the prefix of a single host; lo itself never goes down.
"""

from __future__ import annotations

import _socket as socket
import sys
from fcntl import ioctl

from ...address.interfaces import InterfaceAddress
from ...errors import LvsdrError, NotInstalled
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from . import addresses
from .own_addresses import has_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

    Reader = Callable[[str, Deadline], Sequence[InterfaceAddress]]
    Changer = Callable[[Sequence[str], Deadline], None]

_SIOCGIFFLAGS = 0x8913  # netdevice(7)
_IFREQ = 40  # bytes of struct ifreq: 16 for the name, then the flags
_IFF_UP = 1


class LoopbackEntries(NamedTuple):
    """The entries of a virtual address on lo."""

    own_entry: InterfaceAddress | None
    """The address with the prefix of a single host."""
    other_entries: tuple[InterfaceAddress, ...]
    """The same address with other prefixes, which this agent never adds."""


def _read(vip: str, deadline: Deadline) -> tuple[InterfaceAddress, ...]:
    """Return the entries of ``vip`` on lo; raise LvsdrError.

    Where it has none, no program runs: a probe is cheap, and stop needs nothing to find it gone.
    Without ip(8), which start and stop require, an entry counts as ours: its prefix is unknown.
    """
    if not has_address("lo", vip):
        return ()
    try:
        lo = addresses.find_interface("lo", deadline)
    except NotInstalled:
        return (InterfaceAddress(vip, get_host_prefix(vip)),)
    return () if lo is None else lo.find_entries(vip)


def find_entries(vip: str, deadline: Deadline, read: Reader = _read) -> LoopbackEntries:
    """Return the entries of ``vip``, in canonical form, on lo; raise LvsdrError."""
    entries = [entry for entry in read(vip, deadline) if entry.address == vip]
    own_entries = [entry for entry in entries if entry.prefix == get_host_prefix(vip)]
    other_entries = tuple(entry for entry in entries if entry not in own_entries)
    return LoopbackEntries(own_entries[0] if own_entries else None, other_entries)


def get_host_prefix(vip: str) -> int:
    """Return the prefix length of a single host."""
    return 128 if ":" in vip else 32


def add_address(
    vip: str,
    label: str,
    deadline: Deadline,
    *,
    read: Reader = _read,
    change: Changer = addresses.execute_commands,
) -> None:
    """Add the address and verify it; raise LvsdrError with ip's message.

    The kernel never chooses the address as a source.  An IPv4 address has the scope of this host
    only; an IPv6 address is deprecated from the start.  Duplicate detection is off (nodad), because
    lo has no neighbours.
    """
    properties = "nodad preferred_lft 0" if ":" in vip else f"label {label} scope host"
    line = f"address add {vip}/{get_host_prefix(vip)} dev lo {properties}"
    complaint = _execute_command(line, deadline, change)
    if find_entries(vip, deadline, read).own_entry is None:
        raise LvsdrError(f"{vip} cannot be put on lo: {complaint}")


def remove_address(
    vip: str,
    deadline: Deadline,
    *,
    read: Reader = _read,
    change: Changer = addresses.execute_commands,
) -> None:
    """Remove the address, whatever its label, and verify it; raise LvsdrError."""
    complaint = _execute_command(
        f"address del {vip}/{get_host_prefix(vip)} dev lo", deadline, change
    )
    if find_entries(vip, deadline, read).own_entry is not None:
        raise LvsdrError(f"{vip} cannot be removed from lo: {complaint}")


def is_up() -> bool:
    """Return whether lo is up; raise LvsdrError."""
    handle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0)
    try:
        answer = ioctl(handle.fileno(), _SIOCGIFFLAGS, b"lo".ljust(_IFREQ, b"\0"))
    except OSError as error:
        raise LvsdrError(f"cannot read the state of lo: {error.strerror}") from None
    finally:
        handle.close()
    return bool(int.from_bytes(answer[16:18], sys.byteorder) & _IFF_UP)


def bring_up(deadline: Deadline, *, change: Changer = addresses.execute_commands) -> None:
    """Bring lo up; raise LvsdrError."""
    complaint = _execute_command("link set lo up", deadline, change)
    if not is_up():
        raise LvsdrError(f"lo is down and cannot be brought up: {complaint}")


def _execute_command(line: str, deadline: Deadline, change: Changer) -> str:
    """Run a line of ip(8) and return its error; the caller verifies the effect."""
    try:
        change([line], deadline)
    except NotInstalled:
        raise
    except LvsdrError as error:
        return str(error)
    return "ip reported no error"
