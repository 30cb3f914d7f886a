"""Prefix lengths: their notations, and the addresses of a network that a host can have."""

from __future__ import annotations

import _socket

from ..values.parsing import is_decimal, pack_address

_IPV4_BYTES = 4


class Netmask(int):
    """A prefix length that was written as an IPv4 netmask."""


def parse_prefix_length(text: str) -> int:
    """Parse a prefix length or an IPv4 netmask of ones followed by zeros; raise ValueError.

    >>> parse_prefix_length("24"), parse_prefix_length("255.255.240.0")
    (24, 20)
    """
    if "." in text and ":" not in text:
        bits = "".join(f"{octet:08b}" for octet in pack_address(text))
        ones = bits.rstrip("0")
        prefix: int = Netmask(0 if "0" in ones else len(ones))
    else:
        prefix = int(text) if is_decimal(text, 3) and text[0] != "0" else 0
    if not 1 <= prefix <= 128:
        raise ValueError
    return prefix


def find_host_flaw(address: str, prefix: int) -> str:
    """Return the reason why no host can have this address in its network; empty if one can.

    >>> find_host_flaw("10.9.0.0", 24), find_host_flaw("10.9.0.20", 24)
    ('is the address of its network', '')
    >>> find_host_flaw("10.9.0.255", 24)
    'is the broadcast address of its network'
    """
    width = (128 if ":" in address else 32) - prefix
    if width < 2:  # RFC 3021 (/31) and RFC 6164 (/127): hosts may have all addresses
        return ""
    host = _convert_to_number(address) & ((1 << width) - 1)
    if host == 0:
        return "is the address of its network"
    if ":" not in address and host == (1 << width) - 1:
        return "is the broadcast address of its network"
    return ""


def find_unusable_addresses(address: str, prefix: int) -> dict[str, str]:
    """Return the addresses in the network of an address that no host can have, with reasons.

    They are the first of a network and, in IPv4, the last (RFC 919; RFC 4291, 2.6.1).

    >>> find_unusable_addresses("10.77.0.11", 24)
    {'10.77.0.0': 'is the address of a network', '10.77.0.255': 'is a broadcast address'}
    >>> find_unusable_addresses("10.77.0.11", 31)
    {}
    """
    packed = pack_address(address)
    width = 8 * len(packed) - prefix
    if width < 2:
        return {}
    ends = (1 << width) - 1
    first = int.from_bytes(packed, "big") & ~ends
    found = {first: "is the address of a network"}
    if len(packed) == _IPV4_BYTES:
        found[first | ends] = "is a broadcast address"
    family = _socket.AF_INET if len(packed) == _IPV4_BYTES else _socket.AF_INET6
    return {
        _socket.inet_ntop(family, number.to_bytes(len(packed), "big")): reason
        for number, reason in found.items()
    }


def _convert_to_number(address: str) -> int:
    """Return an address in canonical form as a number; importing ipaddress would cost more."""
    if ":" not in address:
        return int.from_bytes(bytes(map(int, address.split("."))), "big")
    left, _, right = address.partition("::")
    first, last = left.split(":") if left else [], right.split(":") if right else []
    groups = [*first, *["0"] * (8 - len(first) - len(last)), *last]
    return int("".join(group.rjust(4, "0") for group in groups), 16)
