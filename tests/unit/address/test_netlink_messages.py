"""Interfaces in messages of the kernel, as pyroute2 decodes them."""

from __future__ import annotations

from typing import Any

import pytest
from lvsdr.address.interfaces import Interface, InterfaceAddress
from lvsdr.address.netlink_messages import build_address, build_interface, is_interrupted

FOREVER = 0xFFFFFFFF
TENTATIVE, DAD_FAILED, DEPRECATED, NO_PREFIX_ROUTE = 0x40, 0x08, 0x20, 0x200


class Message(dict[str, Any]):
    """A message: fields of its header, and attributes that may occur several times."""

    def __init__(self, *attributes: tuple[str, Any], **fields: Any) -> None:
        super().__init__(fields)
        self._attributes = attributes

    def get_attrs(self, name: str) -> list[Any]:
        return [value for known, value in self._attributes if known == name]

    def get_attr(self, name: str) -> Any:
        return next(iter(self.get_attrs(name)), None)


def address(text: str, *more: tuple[str, Any], flags: int = 0, **fields: Any) -> Message:
    header = {"family": 10 if ":" in text else 2, "prefixlen": 24, "index": 7, "flags": 0x80}
    return Message(("IFA_ADDRESS", text), ("IFA_FLAGS", flags), *more, **header | fields)


def lifetimes(preferred: int) -> tuple[str, dict[str, int]]:
    return "IFA_CACHEINFO", {"ifa_preferred": preferred, "ifa_valid": FOREVER}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            address("10.9.0.20", ("IFA_LOCAL", "10.9.0.20"), ("IFA_LABEL", "eth0"), flags=0x80),
            InterfaceAddress("10.9.0.20", 24, "eth0"),
        ),
        (
            address("10.8.0.1", ("IFA_LOCAL", "10.9.0.9"), prefixlen=32),
            InterfaceAddress("10.9.0.9", 32, peer="10.8.0.1"),
        ),
        (
            address("fd77::20", lifetimes(FOREVER), flags=TENTATIVE | NO_PREFIX_ROUTE),
            InterfaceAddress("fd77::20", 24, tentative=True, noprefixroute=True),
        ),
        (
            address("fd77::20", lifetimes(0), flags=DAD_FAILED | DEPRECATED),
            InterfaceAddress("fd77::20", 24, dadfailed=True, deprecated=True, preferred_lft=0),
        ),
        (
            Message(("IFA_ADDRESS", "fd77::1"), family=10, prefixlen=64, index=7, flags=TENTATIVE),
            InterfaceAddress("fd77::1", 64, tentative=True),
        ),
    ],
)
def test_an_address(message: Message, expected: InterfaceAddress) -> None:
    assert build_address(message) == expected


def test_an_interface() -> None:
    names = Message(("IFLA_ALT_IFNAME", "internal"), ("IFLA_ALT_IFNAME", "averyveryverylongname"))
    link = Message(
        ("IFLA_IFNAME", "eth0"),
        ("IFLA_ADDRESS", "02:00:00:00:00:0a"),
        ("IFLA_PROP_LIST", names),
        index=7,
        ifi_type=1,
        flags=0x1 | 0x80,
    )
    others = (address("10.9.0.21", index=8), address("10.9.0.22", family=28))
    assert build_interface(link, (address("10.9.0.20"), *others)) == Interface(
        name="eth0",
        number=7,
        altnames=("internal", "averyveryverylongname"),
        up=True,
        carrier=False,
        mac="02:00:00:00:00:0a",
        kind="ether",
        addresses=(InterfaceAddress("10.9.0.20", 24),),
        arp=False,
    )


def test_a_tunnel_has_no_mac() -> None:
    link = Message(("IFLA_IFNAME", "tun0"), index=9, ifi_type=65534, flags=0x10000)
    found = build_interface(link, ())
    assert (found.kind, found.mac, found.carrier) == ("other", "", False)


def test_an_interrupted_list() -> None:
    complete, interrupted = Message(header={"flags": 2}), Message(header={"flags": 0x12})
    assert not is_interrupted([complete, complete])
    assert is_interrupted([complete, interrupted])
