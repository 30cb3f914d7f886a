"""Interfaces in the messages of rtnetlink(7), as pyroute2 decodes them.

The numbers are those of linux/if.h, linux/if_addr.h, linux/if_arp.h and linux/netlink.h.
"""

from __future__ import annotations

from collections.abc import Iterable

from .interfaces import FOREVER, Interface, InterfaceAddress, normalise_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Message(Protocol):
        """A message to or from the kernel: fields of its header, and attributes."""

        def __getitem__(self, field: str, /) -> Any: ...

        def get_attr(self, name: str, /) -> Any: ...

        def get_attrs(self, name: str, /) -> Any: ...


_FAMILIES = (2, 10)  # AF_INET, AF_INET6
_KINDS = {1: "ether", 772: "loopback"}
_UP, _NO_ARP, _LOWER_UP = 0x1, 0x80, 0x10000
_TENTATIVE, _DAD_FAILED, _DEPRECATED, _NO_PREFIX_ROUTE = 0x40, 0x08, 0x20, 0x200
_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR


def is_interrupted(messages: Iterable[Message]) -> bool:
    """Return whether the state changed while the kernel listed it: the list may be incomplete."""
    return any(message["header"]["flags"] & _INTERRUPTED for message in messages)


def build_interface(link: Message, addresses: Iterable[Message]) -> Interface:
    """Return the interface of a message RTM_NEWLINK, with its addresses of RTM_NEWADDR."""
    flags, number = link["flags"], link["index"]
    properties = link.get_attr("IFLA_PROP_LIST")
    kind, mac = normalise_link(
        _KINDS.get(link["ifi_type"], ""), link.get_attr("IFLA_ADDRESS") or ""
    )
    return Interface(
        name=link.get_attr("IFLA_IFNAME"),
        number=number,
        altnames=() if properties is None else tuple(properties.get_attrs("IFLA_ALT_IFNAME")),
        up=bool(flags & _UP),
        carrier=bool(flags & _UP and flags & _LOWER_UP),
        mac=mac,
        kind=kind,
        addresses=tuple(
            build_address(message)
            for message in addresses
            if message["index"] == number and message["family"] in _FAMILIES
        ),
        arp=not flags & _NO_ARP,
    )


def build_address(message: Message) -> InterfaceAddress:
    """Return the address of a message RTM_NEWADDR."""
    # IFA_FLAGS has 32 bits; the header, which Linux 3.14 and earlier send alone, has 8.
    flags = message.get_attr("IFA_FLAGS")
    flags = message["flags"] if flags is None else flags
    local, address = message.get_attr("IFA_LOCAL"), message.get_attr("IFA_ADDRESS")
    lifetimes = message.get_attr("IFA_CACHEINFO")
    preferred = FOREVER if lifetimes is None else lifetimes["ifa_preferred"]
    return InterfaceAddress(
        address=local or address,
        prefix=message["prefixlen"],
        label=message.get_attr("IFA_LABEL") or "",
        tentative=bool(flags & _TENTATIVE),
        dadfailed=bool(flags & _DAD_FAILED),
        deprecated=bool(flags & _DEPRECATED),
        noprefixroute=bool(flags & _NO_PREFIX_ROUTE),
        preferred_lft=None if preferred == FOREVER else preferred,
        # IFA_ADDRESS of a point-to-point link is the address of the other end.
        peer=address if local and address and local != address else "",
    )
