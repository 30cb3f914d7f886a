"""An interface and its addresses as the kernel has them now, and a signal of every change.

A query costs no fork, so it can run every second.  The numbers are those of linux/if_link.h,
linux/if_addr.h, linux/if_arp.h and linux/rtnetlink.h; rtnetlink(7) describes the messages.
"""

from __future__ import annotations

import _socket as socket
import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

from ...address.interfaces import LONGEST_NAME, Interface, InterfaceAddress
from ...errors import LvsdrError
from . import netlink
from .netlink import Interrupted, attributes, messages, number

_NEW_LINK, _GET_LINK = 16, 18
_LINK_HEADER = 16  # struct ifinfomsg
_ACKNOWLEDGE = 0x4
_MAC, _NAME, _FILTER, _PROPERTIES, _ALTERNATIVE = 1, 3, 29, 52, 53
_SKIP_STATISTICS = 8
_NESTED = 0x8000  # NLA_F_NESTED of linux/netlink.h
_UP, _NO_ARP, _LOWER_UP = 0x1, 0x80, 0x10000
_KINDS = {1: "ether", 32: "infiniband", 772: "loopback"}
_LOCAL, _ADDRESS, _LABEL, _LIFETIMES, _FLAGS = 2, 1, 3, 6, 8
_TENTATIVE, _DAD_FAILED, _DEPRECATED, _NO_PREFIX_ROUTE = 0x40, 0x08, 0x20, 0x200
_FOREVER = 0xFFFFFFFF
_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_ATTEMPTS = 5
_MOST = 1 << 16


def interface(name: str) -> Interface | None:
    """Return the interface with this name or alternative name; None without one.

    Raises LvsdrError if the kernel gives no answer.
    """
    try:
        link = _link(netlink.ask(_question(name)))
        if link is None:
            return None
        for _ in range(_ATTEMPTS):
            with suppress(Interrupted):
                return link._replace(addresses=tuple(of(link.number, netlink.ask(_ALL))))
    except OSError as error:
        raise LvsdrError(f"the kernel does not describe {name}: {error.strerror}") from None
    raise LvsdrError("the addresses of this host do not stop changing")


def listen(ring: Callable[[], None]) -> None:
    """Call ``ring`` after each change of a link or an address; never returns.

    Raises LvsdrError if the notifications cannot be received.
    """
    try:
        link = netlink.opened(_GROUPS)
        while True:
            _hear(link)
            ring()
    except OSError as error:
        raise LvsdrError(f"cannot watch the addresses of this host: {error.strerror}") from None


def _hear(link: socket.socket) -> None:
    try:
        link.recv(_MOST)
    except OSError as error:
        # ENOBUFS: some of very many notifications were lost, which is a change as well.
        if error.errno != errno.ENOBUFS:
            raise


def _question(name: str) -> bytes:
    """Build RTM_GETLINK by name, without the counters."""
    kind = _NAME if len(name) <= LONGEST_NAME else _ALTERNATIVE
    wanted = _attribute(kind, os.fsencode(name) + b"\0")
    no_counters = _attribute(_FILTER, _SKIP_STATISTICS.to_bytes(4, sys.byteorder))
    return netlink.request(_GET_LINK, _ACKNOWLEDGE, bytes(_LINK_HEADER) + wanted + no_counters)


_ALL = netlink.listing()


def _attribute(kind: int, value: bytes) -> bytes:
    head = (4 + len(value)).to_bytes(2, sys.byteorder) + kind.to_bytes(2, sys.byteorder)
    return head + value + bytes(-len(value) % 4)


def _link(answer: bytes) -> Interface | None:
    for kind, _, body in messages(answer):
        if kind == _NEW_LINK:
            return described(body)
        if kind == netlink.ERROR:
            code = netlink.error_number(body)
            if code in (errno.ENODEV, errno.EINVAL):  # EINVAL: a kernel without alternative names
                return None
            raise OSError(code, os.strerror(code))
    return None


def described(body: bytes) -> Interface:
    """Return the interface in a message RTM_NEWLINK, without its addresses."""
    found = dict(attributes(body[_LINK_HEADER:]))
    flags = number(body, 8, 4)
    properties = attributes(found.get(_PROPERTIES, found.get(_PROPERTIES | _NESTED, b"")))
    return Interface(
        name=_text(found[_NAME]),
        number=number(body, 4, 4),
        altnames=tuple(_text(value) for kind, value in properties if kind == _ALTERNATIVE),
        up=bool(flags & _UP),
        carrier=bool(flags & _UP and flags & _LOWER_UP),
        mac=found.get(_MAC, b"").hex(":"),
        kind=_KINDS.get(number(body, 2, 2), "other"),
        addresses=(),
        arp=not flags & _NO_ARP,
    )


def of(index: int, answer: bytes) -> Iterator[InterfaceAddress]:
    """Yield the interface's addresses in an answer to RTM_GETADDR; raise Interrupted, OSError."""
    for kind, flags, body in messages(answer):
        if flags & netlink.INTERRUPTED:
            raise Interrupted
        if kind == netlink.ERROR:
            code = netlink.error_number(body)
            raise OSError(code, os.strerror(code))
        ours = kind == netlink.NEW_ADDRESS and body[0] in netlink.FAMILIES
        if ours and number(body, 4, 4) == index:
            yield _address(body)


def _address(body: bytes) -> InterfaceAddress:
    found = dict(attributes(body[netlink.ADDRESS_HEADER :]))
    flags = number(found[_FLAGS], 0, 4) if _FLAGS in found else body[2]
    local, peer = found.get(_LOCAL), found.get(_ADDRESS)
    preferred = number(found[_LIFETIMES], 0, 4) if _LIFETIMES in found else _FOREVER
    return InterfaceAddress(
        address=socket.inet_ntop(body[0], found.get(_LOCAL) or found[_ADDRESS]),
        prefix=body[1],
        label=_text(found.get(_LABEL, b"")),
        tentative=bool(flags & _TENTATIVE),
        dadfailed=bool(flags & _DAD_FAILED),
        deprecated=bool(flags & _DEPRECATED),
        noprefixroute=bool(flags & _NO_PREFIX_ROUTE),
        preferred_lft=None if preferred == _FOREVER else preferred,
        peer=socket.inet_ntop(body[0], peer) if local and peer and local != peer else "",
    )


def _text(value: bytes) -> str:
    return os.fsdecode(value.rstrip(b"\0"))
