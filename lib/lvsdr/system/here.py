"""Is this host the one that is meant?"""

from __future__ import annotations

# Not socket: that wraps every constant in an enumeration, a tenth of all that a monitor does.
import _socket as socket


def is_here(host: str) -> bool:
    """Whether a name or an address is one of this host's own; a name may take its time.

    Only an address of this host can be bound to (unless net.ipv4.ip_nonlocal_bind says otherwise).
    """
    try:
        found = socket.getaddrinfo(host.encode(), None, 0, socket.SOCK_DGRAM)
    except OSError:
        return False
    return any(_can_be_bound(family, address) for family, _, _, _, address in found)


def _can_be_bound(family: int, address: tuple[object, ...]) -> bool:
    try:
        probe = socket.socket(family, socket.SOCK_DGRAM)
    except OSError:
        return False  # a kernel without IPv6
    try:
        probe.bind(address)
    except OSError:
        return False
    finally:
        probe.close()
    return True
