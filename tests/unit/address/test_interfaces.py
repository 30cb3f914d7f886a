"""Interfaces and networks, read from the output of ip -json."""

from __future__ import annotations

import json

import pytest
from lvsdr.address.interfaces import (
    ConnectedNetwork,
    Interface,
    InterfaceAddress,
    parse_connected_networks,
    parse_interfaces,
    parse_neighbour_mac,
)
from lvsdr.errors import LvsdrError

FOREVER = 4294967295

# Recorded: ip -json address show (iproute2 6.1.0), an interface with all that an address can have.
RECORDED = json.dumps(
    [
        {
            "ifindex": 3,
            "link": "d1",
            "ifname": "d0",
            "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
            "mtu": 1500,
            "qdisc": "noqueue",
            "operstate": "UP",
            "group": "default",
            "txqlen": 1000,
            "link_type": "ether",
            "address": "6a:48:f8:b0:41:f4",
            "broadcast": "ff:ff:ff:ff:ff:ff",
            "altnames": ["foo0"],
            "addr_info": [
                {
                    "family": "inet",
                    "local": "10.9.0.1",
                    "prefixlen": 24,
                    "scope": "global",
                    "label": "d0",
                    "valid_life_time": FOREVER,
                    "preferred_life_time": FOREVER,
                },
                {
                    "family": "inet",
                    "local": "10.9.0.20",
                    "prefixlen": 24,
                    "scope": "global",
                    "secondary": True,
                    "noprefixroute": True,
                    "label": "d0:x",
                    "valid_life_time": FOREVER,
                    "preferred_life_time": FOREVER,
                },
                {
                    "family": "inet6",
                    "local": "fd77::6",
                    "prefixlen": 64,
                    "scope": "global",
                    "tentative": True,
                    "valid_life_time": FOREVER,
                    "preferred_life_time": 3600,
                },
                {
                    "family": "inet6",
                    "local": "fd77::5",
                    "prefixlen": 64,
                    "scope": "global",
                    "nodad": True,
                    "deprecated": True,
                    "valid_life_time": FOREVER,
                    "preferred_life_time": 0,
                },
                {
                    "family": "inet6",
                    "local": "fd77::7",
                    "prefixlen": 128,
                    "scope": "global",
                    "dadfailed": True,
                    "tentative": True,
                    "valid_life_time": FOREVER,
                    "preferred_life_time": FOREVER,
                },
            ],
        }
    ]
)


def test_an_interface() -> None:
    (d0,) = parse_interfaces(RECORDED)
    assert d0 == Interface(
        name="d0",
        number=3,
        altnames=("foo0",),
        up=True,
        carrier=True,
        mac="6a:48:f8:b0:41:f4",
        kind="ether",
        addresses=(
            InterfaceAddress("10.9.0.1", 24, "d0"),
            InterfaceAddress("10.9.0.20", 24, "d0:x", noprefixroute=True),
            InterfaceAddress("fd77::6", 64, tentative=True, preferred_lft=3600),
            InterfaceAddress("fd77::5", 64, deprecated=True, preferred_lft=0),
            InterfaceAddress("fd77::7", 128, tentative=True, dadfailed=True),
        ),
    )


def test_names() -> None:
    (d0,) = parse_interfaces(RECORDED)
    assert [d0.has_name(name) for name in ("d0", "foo0", "d", "d00", "foo", "")] == [
        *(True, True, False, False, False, False)
    ]


def test_addresses_are_found_whole() -> None:
    """10.9.0.2 is not 10.9.0.20, and a prefix is no part of an address."""
    (d0,) = parse_interfaces(RECORDED)
    assert [found.prefix for found in d0.find_entries("10.9.0.20")] == [24]
    assert (
        d0.find_entries("10.9.0.2")
        == d0.find_entries("10.9.0.20/24")
        == d0.find_entries("fd77::")
        == ()
    )


@pytest.mark.parametrize(
    ("flags", "up", "carrier", "arp"),
    [
        (["BROADCAST", "MULTICAST", "UP", "LOWER_UP"], True, True, True),
        (["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"], True, False, True),
        (["NO-CARRIER", "BROADCAST", "MULTICAST", "UP", "M-DOWN"], True, False, True),
        (["BROADCAST", "MULTICAST"], False, False, True),
        (["BROADCAST", "NOARP", "UP", "LOWER_UP"], True, True, False),
    ],
)
def test_flags(flags: list[str], up: bool, carrier: bool, arp: bool) -> None:
    (found,) = parse_interfaces(json.dumps([{"ifindex": 1, "ifname": "eth0", "flags": flags}]))
    assert (found.up, found.carrier, found.arp) == (up, carrier, arp)
    assert not found.loopback


def test_nothing() -> None:
    assert parse_interfaces("") == parse_interfaces("[]") == parse_interfaces("[{},{}]") == ()
    assert parse_connected_networks("") == parse_connected_networks("[]") == ()
    assert parse_neighbour_mac("") is None
    assert parse_neighbour_mac('[{"dst":"fd77::9","state":["FAILED"]}]') is None


def test_nonsense() -> None:
    with pytest.raises(LvsdrError, match="cannot read the output of ip"):
        parse_interfaces("3: d0: <BROADCAST>")


def routes(*found: dict[str, object]) -> str:
    return json.dumps([{"flags": [], **route} for route in found])


def test_the_longest_prefix_then_the_link_then_the_metric() -> None:
    text = routes(
        {"dst": "10.0.0.0/8", "dev": "wide"},
        {"dst": "10.9.0.0/24", "dev": "slow", "metric": 200},
        {"dst": "10.9.0.0/24", "dev": "dead", "metric": 1, "flags": ["dead", "linkdown"]},
        {"dst": "10.9.0.0/24", "dev": "fast", "metric": 100},
        {"dst": "10.9.0.0/16", "dev": "medium"},
    )
    assert [network.device for network in parse_connected_networks(text)] == [
        *("fast", "slow", "dead", "medium", "wide")
    ]
    assert parse_connected_networks(text)[0] == ConnectedNetwork("fast", 24, 100)
    assert parse_connected_networks(text)[2].down


def test_without_a_metric_is_the_lowest() -> None:
    text = routes(
        {"dst": "10.9.0.0/24", "dev": "b", "metric": 1}, {"dst": "10.9.0.0/24", "dev": "a"}
    )
    assert [network.device for network in parse_connected_networks(text)] == ["a", "b"]


@pytest.mark.parametrize(
    "route",
    [
        {"dst": "default", "gateway": "10.9.0.2", "dev": "eth0"},
        {"dst": "default", "dev": "ppp0", "scope": "link"},
        {"dst": "10.0.0.0/8", "gateway": "10.9.0.2", "dev": "eth0"},
        {"dst": "10.0.0.0/8", "via": {"family": "inet6", "host": "fe80::1"}, "dev": "eth0"},
        {"dst": "10.0.0.0/8", "nexthops": [{"gateway": "10.9.0.2", "dev": "eth0"}]},
        {"type": "blackhole", "dst": "10.0.0.0/8"},
        {"type": "unreachable", "dst": "10.0.0.0/8", "dev": "lo"},
        {"type": "prohibit", "dst": "10.0.0.0/8", "dev": "lo"},
        # Routes that the kernel makes for the address itself, with the prefix of a single host.
        {"dst": "fd77::110", "dev": "lo", "protocol": "kernel", "metric": 256},
        {"dst": "10.9.0.20", "dev": "eth0", "protocol": "kernel", "scope": "link"},
    ],
)
def test_unconnected_networks(route: dict[str, object]) -> None:
    assert parse_connected_networks(routes(route)) == ()


def test_a_host_route_by_hand_is_a_network_of_one() -> None:
    assert parse_connected_networks(routes({"dst": "10.9.0.20", "dev": "eth1"})) == (
        ConnectedNetwork("eth1", 32),
    )
    assert parse_connected_networks(routes({"dst": "fd77::1", "dev": "eth1", "metric": 1024})) == (
        ConnectedNetwork("eth1", 128, 1024),
    )


def test_ipv6() -> None:
    text = routes(
        {"dst": "fd77::/64", "dev": "eth0", "protocol": "kernel", "metric": 256, "pref": "medium"}
    )
    assert parse_connected_networks(text) == (ConnectedNetwork("eth0", 64, 256),)
