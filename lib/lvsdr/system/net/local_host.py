"""The addresses of a host that are this host's own."""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket

from . import netlink

_MAPPED = "::ffff:"
_EVERY = ("0.0.0.0", "::")  # a connection to either goes to this host (Linux)


def own_addresses(host: str) -> list[str]:
    """Return those addresses of a name, or an address, that belong to this host.

    The addresses of the interfaces decide.  Binding a socket proves nothing: with
    net.ipv4.ip_nonlocal_bind=1 every address can be bound.  Raises LvsdrError if the kernel does
    not list its addresses.
    """
    try:
        found = socket.getaddrinfo(host.encode(), None, 0, socket.SOCK_STREAM)
    except OSError:
        return []
    texts = dict.fromkeys(str(entry[4][0]) for entry in found)
    own = {address.address for address in netlink.addresses() if address.usable}
    return [text for text in texts if _is_own(text, own)]


def _is_own(text: str, own: set[str]) -> bool:
    address = text[len(_MAPPED) :] if text.startswith(_MAPPED) and "." in text else text
    # The kernel treats all of 127.0.0.0/8 as its own, whatever the interfaces show.
    return address in own or address in _EVERY or address == "::1" or address.startswith("127.")
