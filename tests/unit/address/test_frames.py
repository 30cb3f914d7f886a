"""Frames, byte by byte: compared with the documents, and with frames of other programs."""

from __future__ import annotations

import pytest
from lvsdr.address.frames import (
    Claim,
    build_announcement_frames,
    build_arp_probe,
    parse_advertisement,
    parse_arp_claim,
)

MAC, OTHER = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
VIP, VIP6 = "10.77.0.110", "fd77::110"

# Recorded with a packet socket at the other end of a veth pair.
KERNEL_ARP_NOTIFY = (  # Linux with net.ipv4.conf.*.arp_notify=1
    "ffffffffffff02000000000a0806000108000604000102000000000a0a4d006e0000000000000a4d006e"
)
ARPING_A = (  # arping -A of iputils 20221126
    "ffffffffffff02000000000a0806000108000604000202000000000a0a4d006e02000000000a0a4d006e"
)
ARPING_D = (  # arping -D; RFC 5227 would rather have zeros in the place of ff
    "ffffffffffff02000000000a0806000108000604000102000000000a00000000ffffffffffff0a4d006e"
)
KERNEL_NDISC_NOTIFY = (  # Linux with net.ipv6.conf.*.ndisc_notify=1
    "33330000000102000000000a86dd"
    "6000000000203afffd770000000000000000000000000110ff020000000000000000000000000001"
    "8800578620000000fd770000000000000000000000000110020102000000000a"
)


def test_gratuitous_arp_equals_the_frames_of_kernel_and_arping() -> None:
    request, reply = build_announcement_frames(MAC, VIP)
    assert request.hex() == KERNEL_ARP_NOTIFY
    assert reply.hex() == ARPING_A


def test_an_advertisement_equals_the_frame_of_the_kernel() -> None:
    (frame,) = build_announcement_frames(MAC, VIP6)
    assert frame.hex() == KERNEL_NDISC_NOTIFY


def test_a_router_says_so() -> None:
    (host,) = build_announcement_frames(MAC, VIP6)
    (router,) = build_announcement_frames(MAC, VIP6, router=True)
    assert host[54 + 4] == 0x20, "override (RFC 4861, 4.4)"
    assert router[54 + 4] == 0xA0, "router and override"
    assert host[:56] + host[59:] == router[:56] + router[59:], "but for the checksum"


@pytest.mark.parametrize("router", [True, False])
@pytest.mark.parametrize("address", ["fd77::110", "fe80::1", "2001:db8:ffff:ffff::ffff"])
def test_the_checksum_is_right(address: str, router: bool) -> None:
    """The sum over the pseudo-header (RFC 8200, 8.1) and the packet is all ones."""
    (frame,) = build_announcement_frames("fe:ff:ff:ff:ff:ff", address, router)
    packet = frame[14:]
    length = packet[4:6]
    data = packet[8:40] + bytes(2) + length + bytes((0, 0, 0, packet[6])) + packet[40:]
    total = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    assert total % 0xFFFF == 0
    assert int.from_bytes(length, "big") == len(packet) - 40
    assert packet[7] == 255


def test_the_layout_of_a_probe() -> None:
    """The fields are those of RFC 826, their contents those of RFC 5227, 2.1.1."""
    fields = {
        "to everybody": "ffffffffffff",
        "from": "02000000000a",
        "ARP": "0806",
        "Ethernet": "0001",
        "IPv4": "0800",
        "lengths": "0604",
        "request": "0001",
        "sender hardware": "02000000000a",
        "sender protocol": "00000000",
        "target hardware": "000000000000",
        "target protocol": "0a4d006e",
    }
    assert build_arp_probe(MAC, VIP).hex() == "".join(fields.values())


def from_other(frame: bytes) -> bytes:
    """Return the same frame, sent by the other host."""
    return bytes.fromhex(frame.hex().replace(MAC.replace(":", ""), OTHER.replace(":", "")))


REPLY_TO_PROBE = bytes.fromhex(  # the answer of a Linux owner
    "02000000000a02000000000b0806000108000604000202000000000b0a4d006e02000000000a00000000"
)


@pytest.mark.parametrize(
    "frame",
    [
        REPLY_TO_PROBE,
        REPLY_TO_PROBE + bytes(18),  # padded to the least length of Ethernet
        from_other(bytes.fromhex(KERNEL_ARP_NOTIFY)),
        from_other(bytes.fromhex(ARPING_A)),
        from_other(bytes.fromhex(ARPING_D)),
        from_other(build_arp_probe(MAC, VIP)),
        bytes.fromhex(
            "ffffffffffff02000000000b0806000108000604000102000000000b0a4d006e0000000000000a4d0001"
        ),
    ],
)
def test_a_claimant_is_named(frame: bytes) -> None:
    found = parse_arp_claim(frame, VIP, {MAC})
    assert found is not None
    assert found.mac == OTHER
    assert found.probing is (frame[28:32] == bytes(4))


@pytest.mark.parametrize(
    ("why", "frame"),
    [
        ("our own probe", build_arp_probe(MAC, VIP)),
        ("somebody else's address", from_other(build_arp_probe(MAC, "10.77.0.11"))),
        ("one that has it as a prefix", from_other(build_announcement_frames(MAC, "10.77.0.1")[0])),
        (
            "somebody looks for it",
            bytes.fromhex(
                "ffffffffffff02000000000b0806000108000604000102000000000b0a4d00010000000000000a4d006e"
            ),
        ),
        ("no ARP", from_other(build_announcement_frames(MAC, VIP6)[0])),
        ("no IPv4", REPLY_TO_PROBE[:16] + b"\x86\xdd" + REPLY_TO_PROBE[18:]),
        ("cut short", REPLY_TO_PROBE[:41]),
        ("nothing", b""),
    ],
)
def test_frames_without_a_claim(why: str, frame: bytes) -> None:
    assert parse_arp_claim(frame, VIP, {MAC}) is None, why


def test_a_host_with_two_interfaces_hears_itself() -> None:
    assert parse_arp_claim(REPLY_TO_PROBE, VIP, {MAC, OTHER}) is None


def from_a_neighbour(address: str, mac: str) -> bytes:
    """Return the ICMPv6 message of an advertisement."""
    return build_announcement_frames(mac, address)[0][54:]


def test_an_advertisement_is_a_claim() -> None:
    assert parse_advertisement(from_a_neighbour(VIP6, OTHER), VIP6, {MAC}) == Claim(OTHER)


@pytest.mark.parametrize(
    "message",
    [
        from_a_neighbour(VIP6, MAC),
        from_a_neighbour("fd77::99", OTHER),
        b"\x87" + from_a_neighbour(VIP6, OTHER)[1:],
        from_a_neighbour(VIP6, OTHER)[:24],
        from_a_neighbour(VIP6, OTHER)[:31],
        b"",
    ],
    ids=["own", "another address", "a question", "no MAC", "cut short", "nothing"],
)
def test_an_advertisement_that_claims_nothing(message: bytes) -> None:
    assert parse_advertisement(message, VIP6, {MAC}) is None


@pytest.mark.parametrize(
    ("claim", "mac", "precedes"),
    [
        (Claim(OTHER), MAC, True),
        (Claim(MAC), OTHER, True),
        (Claim(OTHER, probing=True), MAC, False),
        (Claim(MAC, probing=True), OTHER, True),
    ],
)
def test_of_hosts_that_want_an_address_one_goes_on(claim: Claim, mac: str, precedes: bool) -> None:
    assert claim.precedes(mac) is precedes
