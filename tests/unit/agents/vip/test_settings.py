"""The place of the address, and its presence as wanted."""

from __future__ import annotations

import pytest
from lvsdr.address.interfaces import ConnectedNetwork, Interface, InterfaceAddress
from lvsdr.agents.vip.settings import (
    AddressSettings,
    Place,
    WantedPlace,
    build_label,
    choose_interface,
    find_differences,
    find_misplacement,
    require_label,
)
from lvsdr.errors import BadArgument

WANTED = AddressSettings(
    WantedPlace("10.9.0.20", None, None), None, 5, 0.2, 0, True, True, False, None
)
THERE = InterfaceAddress("10.9.0.20", 24, "eth0")


def interface(
    name: str, number: int, *addresses: InterfaceAddress, kind: str = "ether"
) -> Interface:
    mac = f"02:00:00:00:00:{number:02x}"
    return Interface(name, number, (f"{name}-old",), True, True, mac, kind, addresses)


LO = interface("lo", 1, InterfaceAddress("10.9.0.20", 32, "lo:0"), kind="loopback")
ETH0, ETH1 = interface("eth0", 2), interface("eth1", 3)
ALL = (LO, ETH0, ETH1)
NETWORKS = (
    ConnectedNetwork("eth1", 24, 100),
    ConnectedNetwork("eth0", 24, 200),
    ConnectedNetwork("eth0", 16),
)


def place(
    wanted: WantedPlace, networks: tuple[ConnectedNetwork, ...] = NETWORKS
) -> tuple[str, int]:
    found, prefix = choose_interface(wanted, ALL, networks)
    return found.name, prefix


def test_routes_give_interface_and_prefix() -> None:
    assert place(WantedPlace("10.9.0.20", None, None)) == ("eth1", 24)


def test_parameters_precede_routes() -> None:
    assert place(WantedPlace("10.9.0.20", None, "eth0")) == ("eth0", 24)
    assert place(WantedPlace("10.9.0.20", 28, None)) == ("eth1", 28)
    assert place(WantedPlace("10.9.0.20", 32, "eth0"), ()) == ("eth0", 32)


def test_an_alternative_name_becomes_the_kernels() -> None:
    assert place(WantedPlace("10.9.0.20", None, "eth0-old")) == ("eth0", 24)


def test_a_route_over_lo_is_ignored() -> None:
    """A route over lo does not make a place: in IPv6 a real server's own address has one."""
    networks = (ConnectedNetwork("lo", 128), ConnectedNetwork("eth0", 64))
    assert place(WantedPlace("fd77::20", None, None), networks) == ("eth0", 64)


@pytest.mark.parametrize(
    ("wanted", "networks", "reason"),
    [
        (
            WantedPlace("10.9.0.20", None, None),
            (),
            "no interface of this node is connected to a network of 10.9.0.20: set nic",
        ),
        (
            WantedPlace("10.9.0.20", 24, None),
            (ConnectedNetwork("lo", 8),),
            "no interface of this node is connected to a network of 10.9.0.20: set nic",
        ),
        (
            WantedPlace("10.9.0.20", None, "eth2"),
            NETWORKS,
            "nic=eth2: this node has no such interface",
        ),
        (
            WantedPlace("10.9.0.20", None, "eth1"),
            (ConnectedNetwork("eth0", 24),),
            "eth1 is not connected to a network of 10.9.0.20: set cidr_netmask",
        ),
        (
            WantedPlace("10.9.0.20", 32, "lo"),
            (),
            "nic=lo: is a loopback interface, on which other hosts cannot reach 10.9.0.20; "
            "the agent lvsdr-realsvr puts addresses there",
        ),
    ],
)
def test_an_address_without_a_place_is_refused(
    wanted: WantedPlace, networks: tuple[ConnectedNetwork, ...], reason: str
) -> None:
    with pytest.raises(BadArgument) as caught:
        choose_interface(wanted, ALL, networks)
    assert str(caught.value) == reason


def test_labels() -> None:
    assert build_label(WANTED, "eth0") == "eth0"
    assert build_label(WANTED._replace(iflabel="vip"), "eth0") == "eth0:vip"
    assert (
        build_label(WANTED._replace(wanted_place=WantedPlace("fd77::20", None, None)), "eth0") == ""
    )
    require_label(WANTED._replace(iflabel="reading-ip"), "eth0")
    with pytest.raises(BadArgument, match="enp0s31f6:reading has 17 characters"):
        require_label(WANTED._replace(iflabel="reading"), "enp0s31f6")


PLACE = Place("10.9.0.20", 24, "eth0")
SOUGHT = WantedPlace(*PLACE)


@pytest.mark.parametrize(
    ("there", "asked", "problem"),
    [
        ([THERE], SOUGHT, None),
        ([THERE], None, None),
        ([THERE], WantedPlace("10.9.0.20", None, None), None),
        ([THERE], WantedPlace("10.9.0.20", None, "eth0-old"), None),
        ([THERE._replace(prefix=32), THERE], SOUGHT, None),
        (
            [THERE._replace(prefix=32)],
            WantedPlace("10.9.0.20", None, None),
            "prefix of 10.9.0.20 on eth0 is 32, not 24",
        ),
        (
            [THERE],
            WantedPlace("10.9.0.20", 28, None),
            "prefix of 10.9.0.20 on eth0 is 24, not 28",
        ),
        ([THERE], WantedPlace("10.9.0.21", None, None), "10.9.0.20 is on eth0, but ip=10.9.0.21"),
        ([THERE], WantedPlace("10.9.0.20", None, "eth1"), "10.9.0.20 is on eth0, but nic=eth1"),
        (
            [THERE._replace(dadfailed=True)],
            None,
            "10.9.0.20 is in use by another host on the segment of eth0",
        ),
    ],
)
def test_a_misplacement_is_described(
    there: list[InterfaceAddress], asked: WantedPlace | None, problem: str | None
) -> None:
    assert find_misplacement(PLACE, ETH0._replace(addresses=tuple(there)), asked) == problem


@pytest.mark.parametrize(
    ("found", "wanted", "said"),
    [
        (THERE, WANTED, []),
        (THERE, WANTED._replace(preferred_lft=3600), []),
        (THERE._replace(deprecated=True), WANTED._replace(preferred_lft=3600), []),
        (THERE, WANTED._replace(iflabel="x"), ["its label is eth0, wanted eth0:x"]),
        (THERE, WANTED._replace(noprefixroute=True), ["it has a route to its network"]),
        (THERE._replace(noprefixroute=True), WANTED, ["it has no route to its network"]),
        (THERE._replace(deprecated=True), WANTED, ["it is deprecated as a source"]),
        (THERE, WANTED._replace(preferred_lft=0), ["it may be chosen as a source"]),
    ],
)
def test_differences_are_described(
    found: InterfaceAddress, wanted: AddressSettings, said: list[str]
) -> None:
    assert list(find_differences(PLACE, ETH0._replace(addresses=(found,)), wanted)) == said
