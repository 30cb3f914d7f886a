"""The parameters of the agent lvsdr-realsvr."""

from __future__ import annotations

import pytest
from lvsdr.agents.realsvr.parameters import (
    DRAIN_DELAY,
    DRAIN_TIMEOUT,
    NIC_LO,
    PARAMETERS,
    VIP,
)
from lvsdr.errors import InvalidParameters


def parse(**settings: str) -> tuple[str, str, float, float]:
    environ = {f"OCF_RESKEY_{name}": value for name, value in settings.items()}
    values = PARAMETERS.parse(environ)
    return values[VIP], values[NIC_LO], values[DRAIN_DELAY], values[DRAIN_TIMEOUT]


def problem(**settings: str) -> str:
    with pytest.raises(InvalidParameters) as raised:
        parse(**settings)
    return str(raised.value)


def test_the_defaults() -> None:
    assert parse(vip="10.9.0.20") == ("10.9.0.20", "lo:0", 0.0, 0.0)
    times = {"drain_delay": "7s", "drain_timeout": "2min"}
    assert parse(vip="FD77:0::0100", nic_lo="none", **times) == ("fd77::100", "lo:0", 7.0, 120.0)


def test_the_vip_is_required() -> None:
    legal = "must be a unicast IPv4 or IPv6 address, without prefix or zone"
    assert problem() == f"vip is required: {legal}"


@pytest.mark.parametrize(
    "vip",
    [
        "10.9.0.300",
        "10.9.0.20/32",
        "010.9.0.20",
        "127.0.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "ff02::1",
        "fd77::100%lo",
        "fd77::100/128",
        "node1",
    ],
)
def test_an_unfit_vip_is_refused(vip: str) -> None:
    legal = "must be a unicast IPv4 or IPv6 address, without prefix or zone"
    assert problem(vip=vip) == f"vip={vip}: {legal}"


@pytest.mark.parametrize("vip", ["fe80::1", "febf::1"])
def test_a_link_local_vip(vip: str) -> None:
    assert problem(vip=vip).endswith(": a link-local address is of one link only")


def test_ipv4_in_ipv6() -> None:
    assert problem(vip="::ffff:10.9.0.20").startswith("vip=::ffff:10.9.0.20: must be a unicast")


@pytest.mark.parametrize("label", ["lo", "lo:0", "lo:10", "lo:read-vip.0_1", "lo:abcdefghijkl"])
def test_labels(label: str) -> None:
    assert parse(vip="10.9.0.20", nic_lo=label)[1] == label


@pytest.mark.parametrize(
    "label", ["lo:", "eth0", "eth0:0", "lo0", "LO:0", "lo:a b", "lo:a/b", "lo:ä", 'lo:"', "lo:#"]
)
def test_an_unfit_label_is_refused(label: str) -> None:
    legal = "must be lo, or a label such as lo:0 of at most 15 characters"
    assert problem(vip="10.9.0.20", nic_lo=label).endswith(legal)


def test_a_label_that_is_too_long() -> None:
    assert problem(vip="10.9.0.20", nic_lo="lo:abcdefghijklm").endswith(": it has 16 characters")


@pytest.mark.parametrize("time", ["-5", "soon", "5 days", "1.5s"])
@pytest.mark.parametrize("name", ["drain_delay", "drain_timeout"])
def test_an_unfit_duration_is_refused(name: str, time: str) -> None:
    assert problem(vip="10.9.0.20", **{name: time}).startswith(f"{name}={time}: ")


def test_all_problems_at_once() -> None:
    text = problem(vip="x", nic_lo="eth0", drain_delay="z", drain_timeout="y")
    assert [part.partition("=")[0] for part in text.split("; ")] == [
        "vip",
        "nic_lo",
        "drain_delay",
        "drain_timeout",
    ]


def test_the_drain_times_are_reloadable() -> None:
    assert [p.name for p in PARAMETERS if p.reloadable] == ["drain_delay", "drain_timeout"]
