"""The kernel's list of addresses: its messages, and the answer of this machine's kernel."""

from __future__ import annotations

import json
import struct
import subprocess

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.net.netlink import (
    LOOPBACK,
    Address,
    Interrupted,
    addresses,
    of_network,
    of_networks,
    parse,
)

NEW_ADDRESS, ERROR, DONE = 20, 2, 3
V4, V6 = bytes([10, 77, 0, 100]), bytes.fromhex("fd770000000000000000000000000100")
FLAGS = 8  # IFA_FLAGS: 32 bits of flags, which replace the 8 bits of the header


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    padding = bytes(-len(value) % 4)
    return struct.pack("=HH", 4 + len(value), kind) + value + padding


def address(family: int, prefix: int, index: int, *attributes: tuple[int, bytes]) -> bytes:
    head = struct.pack("=BBBBI", family, prefix, 0x80, 0, index)
    return message(NEW_ADDRESS, head + b"".join(attribute(*each) for each in attributes))


END = message(DONE, bytes(4))
PEER = bytes([10, 77, 0, 1])


def test_addresses_of_both_families() -> None:
    answer = (
        address(2, 32, 1, (1, V4), (2, V4), (3, b"lo:0\0"), (FLAGS, bytes(4)))
        + address(2, 24, 7, (1, PEER), (2, V4), (3, b"ppp0\0"))
        + address(10, 128, 1, (1, V6), (FLAGS, bytes(4)))
        + address(28, 8, 1, (1, b"\1"))  # a family that the parser ignores
        + END
    )
    assert list(parse(answer)) == [
        Address(1, "10.77.0.100", 32, "lo:0"),
        Address(7, "10.77.0.100", 24, "ppp0"),
        Address(1, "fd77::100", 128, ""),
    ]


def test_an_incomplete_list() -> None:
    with pytest.raises(Interrupted):
        list(parse(message(DONE, bytes(4), 0x12)))


def test_an_error() -> None:
    with pytest.raises(LvsdrError) as raised:
        list(parse(message(ERROR, struct.pack("=i", -95) + bytes(16))))
    assert str(raised.value) == "the kernel does not list its addresses: Operation not supported"


def test_nonsense_ends() -> None:
    assert list(parse(bytes(64))) == []
    assert list(parse(message(NEW_ADDRESS, struct.pack("=BBBBI", 2, 8, 0, 0, 1))[:10])) == []


def test_as_ip_has_it() -> None:
    command = ["ip", "-json", "address", "show"]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert set(addresses()) == {
        Address(interface["ifindex"], at["local"], at["prefixlen"], at.get("label", ""))
        for interface in shown
        for at in interface["addr_info"]
    }
    assert any(at.address == "127.0.0.1" for at in addresses() if at.interface == LOOPBACK)


@pytest.mark.parametrize(
    ("address", "prefix", "never"),
    [
        ("10.77.0.11", 24, ["10.77.0.0", "10.77.0.255"]),
        ("10.77.0.11", 30, ["10.77.0.8", "10.77.0.11"]),
        ("10.77.0.11", 31, []),
        ("10.77.0.11", 32, []),
        ("fd77::11", 64, ["fd77::"]),
        ("fd77::11", 127, []),
        ("fd77::11", 128, []),
    ],
)
def test_addresses_of_a_network(address: str, prefix: int, never: list[str]) -> None:
    assert list(of_network(address, prefix)) == never


def test_networks_of_this_machine() -> None:
    assert of_networks()["127.255.255.255"] == "is a broadcast address"
