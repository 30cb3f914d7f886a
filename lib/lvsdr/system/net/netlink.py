"""The addresses of this network namespace, from the kernel: no fork, no library, no privilege.

rtnetlink(7) and netlink(7) describe the messages; the numbers are those of linux/netlink.h,
linux/rtnetlink.h and linux/if_addr.h.
"""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket
import os
import sys
from collections.abc import Iterator
from contextlib import suppress

from ...errors import LvsdrError
from ...values.light_typing import NamedTuple

LOOPBACK = 1  # include/net/flow.h: LOOPBACK_IFINDEX, the index of lo in every namespace

_AF_NETLINK, _NETLINK_ROUTE = 16, 0
NEW_ADDRESS, _GET_ADDRESS = 20, 22
_REQUEST, _DUMP, INTERRUPTED = 0x1, 0x300, 0x10
ERROR, _DONE = 2, 3
_HEADER = 16  # struct nlmsghdr
ADDRESS_HEADER = 8  # struct ifaddrmsg
_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_FLAGS = 1, 2, 3, 8
_TENTATIVE, _DAD_FAILED = 0x40, 0x08
FAMILIES = (socket.AF_INET, socket.AF_INET6)
_ATTEMPTS = 5
_PATIENCE = 5.0  # seconds; the kernel answers at once
_MOST = 1 << 16
_MAPPED = "::ffff:"
_EVERY = ("0.0.0.0", "::")  # a connection to either goes to this host (Linux)
_FAILED = "the kernel does not list its addresses"


class Address(NamedTuple):
    """An address of an interface, as ``ip address`` shows it."""

    interface: int
    """The index of the interface."""
    address: str
    """The address in the form of inet_ntop(3)."""
    prefix: int
    label: str
    """The name of the interface by default; empty for IPv6, which has no labels."""
    usable: bool = True
    """False during duplicate address detection, and after it found another host."""


class Interrupted(Exception):
    """The addresses changed while the kernel listed them: the list may be incomplete."""


def addresses() -> tuple[Address, ...]:
    """Return every address of this network namespace; raise LvsdrError."""
    for _ in range(_ATTEMPTS):
        with suppress(Interrupted):
            return tuple(parse(_listing()))
    raise LvsdrError("the addresses of this host do not stop changing")


def of_networks() -> dict[str, str]:
    """Return the addresses of connected networks that no host may use, and their meanings.

    Raises LvsdrError.
    """
    found: dict[str, str] = {}
    for address in addresses():
        found.update(of_network(address.address, address.prefix))
    return found


def of_network(address: str, prefix: int) -> dict[str, str]:
    """Return the first address of a network and, in IPv4, the last (RFC 919; RFC 4291, 2.6.1).

    >>> of_network("10.77.0.11", 24)
    {'10.77.0.0': 'is the address of a network', '10.77.0.255': 'is a broadcast address'}
    >>> of_network("10.77.0.11", 31)
    {}
    """
    ipv6 = ":" in address
    family, bits = (socket.AF_INET6, 128) if ipv6 else (socket.AF_INET, 32)
    if prefix > bits - 2:
        return {}
    hosts = (1 << (bits - prefix)) - 1
    first = int.from_bytes(socket.inet_pton(family, address), "big") & ~hosts
    named = [(first, "is the address of a network")]
    named += [] if ipv6 else [(first | hosts, "is a broadcast address")]
    return {socket.inet_ntop(family, n.to_bytes(bits // 8, "big")): what for n, what in named}


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
    own = {address.address for address in addresses() if address.usable}
    return [text for text in texts if _is_own(text, own)]


def _is_own(text: str, own: set[str]) -> bool:
    address = text[len(_MAPPED) :] if text.startswith(_MAPPED) and "." in text else text
    # The kernel treats all of 127.0.0.0/8 as its own, whatever the interfaces show.
    return address in own or address in _EVERY or address == "::1" or address.startswith("127.")


def interface_number(name: str) -> int | None:
    """Return the index of an interface; None if no interface has this name."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


def parse(answer: bytes) -> Iterator[Address]:
    """Yield the addresses of an answer to RTM_GETADDR; raise Interrupted or LvsdrError."""
    for kind, flags, body in messages(answer):
        if flags & INTERRUPTED:
            raise Interrupted
        if kind == ERROR:
            raise LvsdrError(f"{_FAILED}: {os.strerror(error_number(body))}")
        elif kind == NEW_ADDRESS and body[0] in FAMILIES:
            yield _address(body)


def _listing() -> bytes:
    try:
        return ask(listing())
    except OSError as error:  # a timeout has no strerror
        raise LvsdrError(f"{_FAILED}: {error.strerror or error}") from None


def ask(question: bytes) -> bytes:
    """Send a request and return all messages of the kernel's answer; raise OSError."""
    link = opened()
    try:
        link.settimeout(_PATIENCE)
        link.send(question)
        answer = b""
        while not _complete(answer):
            answer += link.recv(_MOST)
        return answer
    finally:
        link.close()


def opened(groups: int = 0) -> socket.socket:
    """Open a socket of rtnetlink(7) that receives the changes of these groups."""
    link = socket.socket(_AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
    if groups:
        link.bind((0, groups))
    return link


def listing() -> bytes:
    """Build the request for the addresses of all families and interfaces: struct ifaddrmsg."""
    return request(_GET_ADDRESS, _DUMP, bytes(ADDRESS_HEADER))


def request(kind: int, flags: int, body: bytes) -> bytes:
    """Build a message to the kernel, with its struct nlmsghdr."""
    header = (_HEADER + len(body), 4), (kind, 2), (_REQUEST | flags, 2), (1, 4), (0, 4)
    return b"".join(n.to_bytes(size, sys.byteorder) for n, size in header) + body


def _complete(answer: bytes) -> bool:
    return any(kind in (_DONE, ERROR) for kind, _, _ in messages(answer))


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield type, flags and body of each message."""
    at = 0
    while at + _HEADER <= len(data):
        length = number(data, at, 4)
        yield number(data, at + 4, 2), number(data, at + 6, 2), data[at + _HEADER : at + length]
        at += max(_aligned(length), _HEADER)


def _address(body: bytes) -> Address:
    found = dict(attributes(body[ADDRESS_HEADER:]))
    # IFA_ADDRESS of a point-to-point interface is the address of its peer.
    packed = found.get(_IFA_LOCAL) or found[_IFA_ADDRESS]
    return Address(
        interface=number(body, 4, 4),
        address=socket.inet_ntop(body[0], packed),
        prefix=body[1],
        label=found.get(_IFA_LABEL, b"").rstrip(b"\0").decode("ascii", "replace"),
        usable=not _flags(body, found) & (_TENTATIVE | _DAD_FAILED),
    )


def _flags(body: bytes, found: dict[int, bytes]) -> int:
    return number(found[_IFA_FLAGS], 0, 4) if _IFA_FLAGS in found else body[2]


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each struct rtattr."""
    at = 0
    while at + 4 <= len(data):
        length = number(data, at, 2)
        yield number(data, at + 2, 2), data[at + 4 : at + length]
        at += max(_aligned(length), 4)


def number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], sys.byteorder)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def error_number(body: bytes) -> int:
    """Return the error number of a struct nlmsgerr, which begins with its negative, or 0."""
    return -int.from_bytes(body[:4], sys.byteorder, signed=True)
