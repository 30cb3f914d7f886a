"""Lines for ip(8), applied to a model of their effect in the kernel."""

from __future__ import annotations

import itertools

import pytest
from lvsdr.address.commands import build_add_command, build_change_commands, build_remove_commands
from lvsdr.address.interfaces import Interface, InterfaceAddress, Place, find_entry
from lvsdr.agents.vip.settings import AddressSettings, WantedPlace

PLACE, PLACE6 = Place("10.9.0.20", 24, "eth0"), Place("fd77::20", 64, "eth0")
OWN = InterfaceAddress("10.9.0.1", 24, "eth0")


def settings(place: Place, **changes: object) -> AddressSettings:
    wanted = AddressSettings(WantedPlace(*place), None, 5, 0.2, 0, True, True, False, None)
    return wanted._replace(**changes)  # type: ignore[arg-type]


def eth0(*addresses: InterfaceAddress) -> Interface:
    return Interface("eth0", 2, (), True, True, "02:00:00:00:00:0a", "ether", addresses)


class Kernel:
    """A model of eth0's addresses in Linux.

    `gap` is set once a present address was missing after a line.
    """

    def __init__(self, *addresses: InterfaceAddress) -> None:
        self.addresses = list(addresses)
        self.gap = False

    def apply(self, lines: list[str], address: str) -> None:
        before = any(found.address == address for found in self.addresses)
        for line in lines:
            self._one(line.split())
            self.gap |= before and all(found.address != address for found in self.addresses)

    def _one(self, words: list[str]) -> None:
        assert words[0] == "address"
        assert words[3:5] == ["dev", "eth0"]
        address, prefix = words[2].split("/")
        same = [f for f in self.addresses if (f.address, f.prefix) == (address, int(prefix))]
        if words[1] == "delete":
            (gone,) = same
            self.addresses.remove(gone)
        elif words[1] == "add" or not same:
            ipv6 = ":" in address
            clash = [f for f in self.addresses if f.address == address] if ipv6 else same
            assert not clash, "RTNETLINK answers: File exists"
            self.addresses.append(_new(address, int(prefix), words[5:]))
        else:  # change or replace: IPv4 keeps label and flags as they are
            new = _new(address, int(prefix), words[5:])
            if ":" not in address:
                new = new._replace(label=same[0].label, noprefixroute=same[0].noprefixroute)
            self.addresses[self.addresses.index(same[0])] = new


def _new(address: str, prefix: int, words: list[str]) -> InterfaceAddress:
    text = words[words.index("preferred_lft") + 1] if "preferred_lft" in words else "forever"
    lifetime = None if text == "forever" else int(text)
    label = words[words.index("label") + 1] if "label" in words else "eth0"
    return InterfaceAddress(
        address,
        prefix,
        "" if ":" in address else label,
        deprecated=lifetime == 0,
        noprefixroute="noprefixroute" in words,
        preferred_lft=lifetime,
    )


WISHES: list[dict[str, object]] = [
    {"noprefixroute": noprefixroute, "preferred_lft": preferred}
    for noprefixroute, preferred in itertools.product((False, True), (None, 0, 3600))
]


@pytest.mark.parametrize("prefix", [32, 24])
@pytest.mark.parametrize("label", [None, "vip"])
@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("strays", [(), (32,), (31,), (24,), (24, 31, 32), (16, 32)])
def test_from_any_state_to_the_wanted_one(
    strays: tuple[int, ...], wish: dict[str, object], label: str | None, prefix: int
) -> None:
    """The address never disappears on the way, and no other address is changed."""
    place = PLACE._replace(prefix=prefix)
    wanted = settings(place, iflabel=label, **wish)
    kernel = Kernel(OWN, *(InterfaceAddress(PLACE.address, stray, "eth0") for stray in strays))
    kernel.apply(build_change_commands(place, wanted, eth0(*kernel.addresses)), place.address)
    assert OWN in kernel.addresses
    assert not kernel.gap
    (found,) = [found for found in kernel.addresses if found != OWN]
    assert (found.prefix, found.label) == (prefix, "eth0:vip" if label else "eth0")
    assert found.noprefixroute == wish["noprefixroute"]
    assert found.preferred_lft == wish["preferred_lft"]
    assert build_change_commands(place, wanted, eth0(*kernel.addresses)) == []


@pytest.mark.parametrize("peer", [24, 32])
def test_an_address_with_a_peer_is_another_one(peer: int) -> None:
    """An address with a peer is deleted first and then added without one.

    The kernel deletes it only if the line names the peer, and adds no second address to its
    network.
    """
    stray = InterfaceAddress("10.9.0.20", peer, "eth0", peer="10.9.0.9")
    lines = build_change_commands(PLACE, settings(PLACE), eth0(OWN, stray))
    assert lines[0] == f"address delete 10.9.0.20 peer 10.9.0.9/{peer} dev eth0"
    assert lines[1:] == [build_add_command(PLACE, settings(PLACE))]
    assert build_remove_commands("eth0", [stray]) == lines[:1]


@pytest.mark.parametrize("wish", WISHES)
@pytest.mark.parametrize("there", [None, 64, 128])
def test_ipv6(there: int | None, wish: dict[str, object]) -> None:
    wanted = settings(PLACE6, **wish)
    kernel = Kernel(*([InterfaceAddress("fd77::20", there)] if there else []))
    kernel.apply(build_change_commands(PLACE6, wanted, eth0(*kernel.addresses)), PLACE6.address)
    (found,) = kernel.addresses
    assert found.prefix == 64
    assert (found.noprefixroute, found.preferred_lft) == tuple(wish.values())
    assert build_change_commands(PLACE6, wanted, eth0(found)) == []
    assert kernel.gap == (there == 128), "only a wrong prefix has to go first"


def test_the_line_itself() -> None:
    lifetimes = "valid_lft forever preferred_lft forever"
    assert build_add_command(PLACE, settings(PLACE)) == (
        f"address add 10.9.0.20/24 dev eth0 label eth0 broadcast + {lifetimes}"
    )
    single = PLACE._replace(prefix=32)
    assert build_add_command(single, settings(single, iflabel="vip")) == (
        f"address add 10.9.0.20/32 dev eth0 label eth0:vip {lifetimes}"
    )
    assert (
        build_add_command(PLACE6, settings(PLACE6))
        == f"address add fd77::20/64 dev eth0 {lifetimes}"
    )
    assert build_add_command(PLACE6, settings(PLACE6, duplicate_check=False)) == (
        f"address add fd77::20/64 dev eth0 nodad {lifetimes}"
    )


def test_all_entries_are_removed() -> None:
    entries = [InterfaceAddress("10.9.0.20", prefix) for prefix in (24, 32)]
    assert build_remove_commands("eth0", entries) == [
        "address delete 10.9.0.20/24 dev eth0",
        "address delete 10.9.0.20/32 dev eth0",
    ]


def test_the_entry_is_found_by_address_and_prefix() -> None:
    stray, ours = InterfaceAddress("10.9.0.20", 32), InterfaceAddress("10.9.0.20", 24)
    assert find_entry(eth0(OWN, stray, ours), PLACE) is ours
    assert find_entry(eth0(OWN, stray), PLACE) is None
