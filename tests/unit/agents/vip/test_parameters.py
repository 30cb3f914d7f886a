"""Parameters of the agent vip: accepted values, refused values, messages."""

from __future__ import annotations

import pytest
from lvsdr.agents.vip.parameters import IDENTITY, PARAMETERS
from lvsdr.agents.vip.settings import AddressSettings, WantedPlace, read_settings, read_wanted_place
from lvsdr.errors import InvalidParameters


def parsed(**given: str) -> AddressSettings:
    return read_settings(
        PARAMETERS.parse({f"OCF_RESKEY_{name}": text for name, text in given.items()})
    )


def problems(**given: str) -> list[str]:
    with pytest.raises(InvalidParameters) as caught:
        parsed(**given)
    return list(caught.value.problems)


def test_the_defaults_are_those_of_ipaddr2_where_it_has_them() -> None:
    assert parsed(ip="10.9.0.20") == AddressSettings(
        wanted_place=WantedPlace("10.9.0.20", None, None),
        iflabel=None,
        arp_count=5,
        arp_interval=0.2,
        arp_count_refresh=0,
        duplicate_check=True,
        check_link=True,
        noprefixroute=False,
        preferred_lft=None,
    )


def test_all_parameters_are_parsed() -> None:
    assert parsed(
        ip="FD77:0::0020",
        cidr_netmask="64",
        nic="bond0.10",
        arp_count="1",
        arp_interval="1000",
        arp_count_refresh="2",
        duplicate_check="no",
        check_link="off",
        noprefixroute="yes",
        preferred_lft="0",
    ) == AddressSettings(
        WantedPlace("fd77::20", 64, "bond0.10"), None, 1, 1.0, 2, False, False, True, 0
    )


@pytest.mark.parametrize(
    ("given", "duplicate_check", "check_link"),
    [
        ({"nodad": "true"}, False, True),
        ({"nodad": "no"}, True, True),
        ({"run_arping": "1"}, True, True),
        ({"run_arping": "false"}, False, True),
        ({"check_link_status": "false"}, True, False),
        ({"nodad": "true", "run_arping": "false"}, False, True),
    ],
)
def test_the_names_of_ipaddr2(
    given: dict[str, str], duplicate_check: bool, check_link: bool
) -> None:
    found = parsed(ip="10.9.0.20", **given)
    assert (found.duplicate_check, found.check_link) == (duplicate_check, check_link)


def test_contradictory_names_of_ipaddr2_are_refused() -> None:
    assert problems(ip="10.9.0.20", nodad="true", run_arping="true") == [
        "run_arping=true: is the old name of duplicate_check, which is set to false; "
        "set only duplicate_check"
    ]
    (problem,) = problems(ip="10.9.0.20", nodad="perhaps")
    assert problem.startswith("nodad=perhaps: must be true or false")


def test_ip_is_required() -> None:
    assert problems() == [
        "ip is required: must be a unicast IPv4 or IPv6 address, without prefix or zone"
    ]


@pytest.mark.parametrize(
    "ip",
    [
        *("010.9.0.20", "10.9.0.020", "0x0a.9.0.20", "10.9.20"),
        *("10.9.0.300", "10.9.0.20/24", "10.9.0", "vip", "0.0.0.0", "127.0.0.1", "224.0.0.18"),
        *("255.255.255.255", "::", "::1", "ff02::1", "fe80::1%eth0", "fd77::1/64", "fd77:::1"),
    ],
)
def test_other_texts_than_unicast_addresses_are_refused(ip: str) -> None:
    assert problems(ip=ip) == [
        f"ip={ip}: must be a unicast IPv4 or IPv6 address, without prefix or zone"
    ]


@pytest.mark.parametrize(
    "ip", ["::ffff:10.9.0.100", "::ffff:a09:64", "0::FFFF:0a09:0064", "::10.9.0.100", "::a09:64"]
)
def test_an_ipv4_address_in_the_form_of_ipv6_is_refused(ip: str) -> None:
    assert problems(ip=ip) == [
        f"ip={ip}: must be a unicast IPv4 or IPv6 address, without prefix or zone: "
        "an IPv4 address in the form of IPv6"
    ]


@pytest.mark.parametrize("ip", ["10.9.0.0", "10.9.0.255"])
def test_network_and_broadcast_addresses_are_refused(ip: str) -> None:
    (problem,) = problems(ip=ip, cidr_netmask="24")
    assert problem.endswith(" address of its network, which no host can have")


def test_ipv6_has_no_netmask() -> None:
    assert problems(ip="fd77::20", cidr_netmask="255.255.255.0") == [
        "cidr_netmask=24: is written as a netmask, but IPv6 has only prefix lengths"
    ]


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("24", 24), ("32", 32), ("1", 1), ("255.255.255.0", 24), ("255.255.240.0", 20)],
)
def test_a_prefix_or_a_netmask(text: str, prefix: int) -> None:
    assert parsed(ip="10.9.0.20", cidr_netmask=text).wanted_place.prefix == prefix


@pytest.mark.parametrize(
    "text",
    ["0", "024", "-1", "129", "/24", "24.0", "255.0.255.0", "0.0.0.0", "0.0.0.255", "x", "2 4"],
)
def test_other_texts_than_prefixes_are_refused(text: str) -> None:
    assert problems(ip="fd77::20", cidr_netmask=text) == [
        f"cidr_netmask={text}: must be a prefix length (1 to 32, for IPv6 to 128) "
        "or an IPv4 netmask"
    ]


def test_the_prefix_is_that_of_its_family() -> None:
    assert parsed(ip="fd77::20", cidr_netmask="128").wanted_place.prefix == 128
    assert problems(ip="10.9.0.20", cidr_netmask="33") == [
        "cidr_netmask=33: must be 1 to 32 for an IPv4 address"
    ]


@pytest.mark.parametrize("nic", ["eth0", "enp0s31f6", "bond0.100", "br-" + "0" * 60, "wan@isp"])
def test_a_name_of_an_interface(nic: str) -> None:
    """Alternative names are accepted, which may be longer than the kernel's own."""
    assert parsed(ip="10.9.0.20", nic=nic).wanted_place.nic == nic


@pytest.mark.parametrize("nic", ["..", ".", "-force", "eth0/1", "eth 0", "eth0\n", "e" * 128])
def test_illegal_names_of_interfaces_are_refused(nic: str) -> None:
    (problem,) = problems(ip="10.9.0.20", nic=nic)
    assert problem.endswith(": must be the name of a network interface")


def test_a_label_in_nic_is_refused() -> None:
    assert problems(ip="10.9.0.20", nic="eth0:1") == [
        "nic=eth0:1: must be the name of a network interface: set a label with iflabel"
    ]


def test_labels() -> None:
    assert parsed(ip="10.9.0.20", nic="eth0", iflabel="reading-ip").iflabel == "reading-ip"
    assert problems(ip="10.9.0.20", nic="eth0", iflabel="reading-ips") == [
        "iflabel=reading-ips: eth0:reading-ips has 16 characters, a label at most 15"
    ]
    assert problems(ip="10.9.0.20", iflabel="a" * 15) == [
        f"iflabel={'a' * 15}: :{'a' * 15} has 16 characters, a label at most 15"
    ]
    assert problems(ip="10.9.0.20", iflabel="a b") == [
        "iflabel=a b: must be made of letters, digits, - _ and ."
    ]
    assert problems(ip="fd77::20", iflabel="x") == ["iflabel=x: IPv6 addresses have no label"]


@pytest.mark.parametrize("ip", ["fe80::20", "fe80:1::20", "febf::1"])
def test_link_local_needs_an_interface(ip: str) -> None:
    assert parsed(ip=ip, nic="eth0").wanted_place.nic == "eth0"
    assert problems(ip=ip) == [
        f"nic is required: {ip} is link-local, which any interface could have"
    ]


@pytest.mark.parametrize("ip", ["fec0::1", "fe8::1", "169.254.0.7", "fe00::1"])
def test_other_addresses_need_no_interface(ip: str) -> None:
    assert parsed(ip=ip).wanted_place.address == ip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("arp_count", text) for text in ("-1", "0", "101", "x", "1.5")),
        *(("arp_interval", text) for text in ("-200", "0", "10001", "200ms")),
        *(("arp_count_refresh", text) for text in ("-1", "101")),
        *(("preferred_lft", text) for text in ("-1", "never", "4294967295", "10s")),
        *((name, "maybe") for name in ("duplicate_check", "check_link", "noprefixroute")),
    ],
)
def test_illegal_counts_times_and_switches_are_refused(name: str, text: str) -> None:
    (problem,) = problems(ip="10.9.0.20", **{name: text})
    assert problem.startswith(f"{name}={text}: must be ")


def test_all_problems_are_reported_at_once() -> None:
    assert len(problems(ip="10.9.0.300", cidr_netmask="x", iflabel="a b", arp_count="-1")) == 4


def test_the_identity_ignores_other_parameters() -> None:
    values = IDENTITY.parse({"OCF_RESKEY_ip": "10.9.0.20", "OCF_RESKEY_arp_count": "-1"})
    assert read_wanted_place(values) == WantedPlace("10.9.0.20", None, None)


def test_the_reloadable_parameters() -> None:
    assert [one.name for one in PARAMETERS if not one.reloadable] == ["ip", "cidr_netmask", "nic"]
