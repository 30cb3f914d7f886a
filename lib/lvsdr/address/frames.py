"""Ethernet frames, as bytes, that announce the owner of an address or query it.

ARP for Ethernet and IPv4 is RFC 826, its probe and its announcement are RFC 5227.  The neighbour
advertisement of IPv6 is RFC 4861, on Ethernet RFC 2464.
"""

from __future__ import annotations

from collections.abc import Collection

from ..values.light_typing import NamedTuple
from ..values.parsing import pack_address

ARP = 0x0806
IPV6 = 0x86DD

_BROADCAST_MAC = b"\xff" * 6
_NO_MAC = bytes(6)
_NO_ADDRESS = bytes(4)
_REQUEST, _REPLY = 1, 2
_ARP_START = b"\x00\x01\x08\x00\x06\x04"  # Ethernet, IPv4, and the lengths of their addresses
_ICMPV6 = 58
_ADVERTISEMENT = 136
_ROUTER, _OVERRIDE = 0x80, 0x20
_TARGET_LINK_ADDRESS = b"\x02\x01"  # type of the option, and its length in units of 8 octets
_ALL_NODES = b"\xff\x02" + bytes(13) + b"\x01"
_ALL_NODES_MAC = b"\x33\x33\x00\x00\x00\x01"


def build_announcement_frames(mac: str, address: str, router: bool = False) -> tuple[bytes, ...]:
    """Return the frames that announce to all neighbours at once that ``address`` is at ``mac``.

    IPv4: gratuitous ARP, as a request and as a reply, because some switches and hosts learn from
    only one of them.  IPv6: an unsolicited neighbour advertisement that overrides the neighbours'
    caches.  ``router`` is true if this node forwards (RFC 4861, 4.4).
    """
    packed_mac = _pack_mac(mac)
    if ":" in address:
        return (_build_advertisement(packed_mac, pack_address(address), router),)
    ip = pack_address(address)
    return (
        _build_arp_frame(_REQUEST, packed_mac, ip, _NO_MAC, ip),
        _build_arp_frame(_REPLY, packed_mac, ip, packed_mac, ip),
    )


def build_arp_probe(mac: str, address: str) -> bytes:
    """Return an ARP query for the owner of ``address``; its sender 0.0.0.0 claims nothing."""
    return _build_arp_frame(_REQUEST, _pack_mac(mac), _NO_ADDRESS, _NO_MAC, pack_address(address))


class Claim(NamedTuple):
    """Another host's claim to an address."""

    mac: str
    probing: bool = False
    """True if that host does not have the address, but probes for an owner (RFC 5227, 2.1.1)."""

    def precedes(self, mac: str) -> bool:
        """Test whether the host with this MAC has to give way.

        If several hosts only probe for the address, the lowest MAC wins.  RFC 5227 lets all of them
        give up, but hosts in step with each other would do so for ever.
        """
        return not self.probing or self.mac < mac


def parse_arp_claim(frame: bytes, address: str, own_macs: Collection[str]) -> Claim | None:
    """Return the claim to the IPv4 address in an ARP frame; None if there is none.

    ``own_macs`` contains the MACs of this node, which may receive its own frames.  See RFC 5227,
    2.1.1.
    """
    if len(frame) < 42 or frame[12:20] != ARP.to_bytes(2, "big") + _ARP_START:
        return None
    operation, sender_mac, sender_ip, target_ip = (
        frame[20:22],
        frame[22:28],
        frame[28:32],
        frame[38:42],
    )
    ip = pack_address(address)
    is_probe = (
        operation == _REQUEST.to_bytes(2, "big") and sender_ip == _NO_ADDRESS and target_ip == ip
    )
    mac = sender_mac.hex(":")
    return Claim(mac, is_probe) if (sender_ip == ip or is_probe) and mac not in own_macs else None


def parse_advertisement(message: bytes, address: str, own_macs: Collection[str]) -> Claim | None:
    """Return the claim to the IPv6 address in a neighbour advertisement (RFC 4861, 4.4)."""
    if len(message) < 32 or message[0] != _ADVERTISEMENT:
        return None
    if message[8:24] != pack_address(address) or message[24:26] != _TARGET_LINK_ADDRESS:
        return None
    mac = message[26:32].hex(":")
    return None if mac in own_macs else Claim(mac)


def _build_arp_frame(
    operation: int, sender_mac: bytes, sender_ip: bytes, target_mac: bytes, target_ip: bytes
) -> bytes:
    header = _BROADCAST_MAC + sender_mac + ARP.to_bytes(2, "big")
    code = operation.to_bytes(2, "big")
    return header + _ARP_START + code + sender_mac + sender_ip + target_mac + target_ip


def _build_advertisement(mac: bytes, address: bytes, router: bool) -> bytes:
    flags = _OVERRIDE | (_ROUTER if router else 0)
    option = _TARGET_LINK_ADDRESS + mac
    body = bytes((flags, 0, 0, 0)) + address + option
    length = (4 + len(body)).to_bytes(4, "big")
    icmp_start = bytes((_ADVERTISEMENT, 0))
    pseudo_header = address + _ALL_NODES + length + bytes((0, 0, 0, _ICMPV6))
    checksum_octets = _compute_checksum(pseudo_header + icmp_start + bytes(2) + body)
    # The hop limit must arrive as 255, so that no host behind a router can send such a packet.
    header = b"\x60\x00\x00\x00" + length[2:] + bytes((_ICMPV6, 255)) + address + _ALL_NODES
    return (
        _ALL_NODES_MAC
        + mac
        + IPV6.to_bytes(2, "big")
        + header
        + icmp_start
        + checksum_octets
        + body
    )


def _compute_checksum(data: bytes) -> bytes:
    """Return the Internet checksum of an even number of octets (RFC 1071).

    >>> _compute_checksum(bytes.fromhex("0001f203f4f5f6f7")).hex()
    '220d'
    """
    total = sum(data[0::2]) * 256 + sum(data[1::2])
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return (total ^ 0xFFFF).to_bytes(2, "big")


def _pack_mac(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
