"""Interfaces as the kernel describes them, and as ip(8) does."""

from __future__ import annotations

import struct
import threading

import pytest
from lvsdr.address.interfaces import InterfaceAddress
from lvsdr.system.net import addresses, links
from lvsdr.system.net.netlink import Interrupted
from lvsdr.values.deadline import Deadline

V4, V6 = bytes([10, 9, 0, 20]), bytes.fromhex("fd770000000000000000000000000020")
NEW_ADDRESS, ERROR, DONE = 20, 2, 3


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def address(head: bytes, *attributes: tuple[int, bytes]) -> bytes:
    return message(NEW_ADDRESS, head + b"".join(attribute(*each) for each in attributes))


def head(family: int, prefix: int, index: int, flags: int = 0x80) -> bytes:
    return struct.pack("=BBBBI", family, prefix, flags, 0, index)


def lifetimes(preferred: int) -> tuple[int, bytes]:
    return 6, struct.pack("=IIII", preferred, 0xFFFFFFFF, 0, 0)


def flags(number: int) -> tuple[int, bytes]:
    return 8, struct.pack("=I", number)


def test_this_machine_as_ip_has_it() -> None:
    for interface in addresses.read_interfaces(Deadline.after(30)):
        assert links.interface(interface.name) == interface


@pytest.mark.parametrize("name", ["nosuch0", "a-name-that-is-longer-than-fifteen"])
def test_there_is_no_such_interface(name: str) -> None:
    assert links.interface(name) is None


def test_an_interface() -> None:
    body = struct.pack("=BxHiII", 0, 1, 7, 0x1 | 0x80, 0)
    names = attribute(53, b"internal\0") + attribute(53, b"averyveryverylongname\0")
    body += attribute(3, b"eth0\0") + attribute(1, bytes.fromhex("02000000000a"))
    body += attribute(52 | 0x8000, names)
    found = links.described(body)
    assert (found.name, found.number, found.kind, found.mac) == (
        "eth0",
        7,
        "ether",
        "02:00:00:00:00:0a",
    )
    assert found.altnames == ("internal", "averyveryverylongname")
    assert (found.up, found.carrier, found.arp) == (True, False, False)


def test_the_addresses_of_one_interface() -> None:
    answer = (
        address(head(2, 24, 7), (1, V4), (2, V4), (3, b"eth0\0"), flags(0x80))
        + address(head(2, 24, 8), (1, V4), (2, V4), (3, b"eth1\0"))
        + address(head(10, 64, 7), (1, V6), flags(0x40 | 0x200), lifetimes(0xFFFFFFFF))
        + address(head(10, 128, 7), (1, V6), flags(0x08 | 0x20), lifetimes(0))
        + message(DONE, bytes(4))
    )
    assert list(links.of(7, answer)) == [
        InterfaceAddress("10.9.0.20", 24, "eth0"),
        InterfaceAddress("fd77::20", 64, tentative=True, noprefixroute=True),
        InterfaceAddress("fd77::20", 128, dadfailed=True, deprecated=True, preferred_lft=0),
    ]


def test_an_address_with_a_peer() -> None:
    """IFA_LOCAL is the host's own address, IFA_ADDRESS that of the other end."""
    own = bytes((10, 9, 0, 9))
    answer = address(head(2, 32, 7), (1, V4), (2, own)) + message(DONE, bytes(4))
    (found,) = links.of(7, answer)
    assert (found.address, found.peer) == ("10.9.0.9", "10.9.0.20")


def test_an_incomplete_list() -> None:
    with pytest.raises(Interrupted):
        list(links.of(7, message(DONE, bytes(4), 0x12)))


def test_an_error() -> None:
    with pytest.raises(OSError, match="Operation not supported"):
        list(links.of(7, message(ERROR, struct.pack("=i", -95) + bytes(16))))


def test_a_listener_waits() -> None:
    """A listener waits while nothing changes.

    The tests with network namespaces show that a change rings.
    """
    rung = threading.Event()
    thread = threading.Thread(target=links.listen, args=(rung.set,), daemon=True)
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
