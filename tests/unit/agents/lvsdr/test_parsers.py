"""Parsers of the values that only the agent lvsdr has."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from lvsdr.agents.lvsdr.parsers import (
    ATTRIBUTE,
    POSITIVE_DURATION,
    SERVICE_ADDRESS,
    SERVICE_OPTIONS,
    WEIGHTED_HOSTS,
)
from lvsdr.ipvs.table import ServiceConfig


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("node1", {"node1": None}),
        ("node1,3", {"node1": 3}),
        ("node1,0", {"node1": 0}),
        ("node1,65535", {"node1": 65535}),
        (" node1,1\n\tnode2  192.168.0.234,3 ", {"node1": 1, "node2": None, "192.168.0.234": 3}),
        ("FD77:0::0011,2 fd77::12", {"fd77::11": 2, "fd77::12": None}),
        ("node-1.example.com,1", {"node-1.example.com": 1}),
    ],
)
def test_hosts_with_weights(text: str, hosts: Mapping[str, int | None]) -> None:
    found = WEIGHTED_HOSTS(text)
    assert found == hosts
    assert list(found) == list(hosts)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("node1,x", "the weight in 'node1,x' is not from 0 to 65535"),
        ("node1,-1", "the weight in 'node1,-1' is not from 0 to 65535"),
        ("node1,1,2", "the weight in 'node1,1,2' is not from 0 to 65535"),
        ("node1,65536", "the weight in 'node1,65536' is not from 0 to 65535"),
        ("node1," + "9" * 5000, "the weight in 'node1,999"),
        ("node1,", "the weight in 'node1,' is not from 0 to 65535"),
        ("node1,1.5", "the weight in 'node1,1.5' is not from 0 to 65535"),
        ("node1,+1", "the weight in 'node1,+1' is not from 0 to 65535"),
        ("node1,٣", r"the weight in 'node1,\u0663' is not from 0 to 65535"),
        ("node1, 1", "the weight in 'node1,' is not from 0 to 65535"),
        (",1", "'' in ',1' is neither a host name nor an address"),
        ("-C,1", "'-C' in '-C,1' is neither a host name nor an address"),
        ("node1;node2", "'node1;node2' in 'node1;node2' is neither a host name nor an address"),
        ("10.9.0.300", "'10.9.0.300' in '10.9.0.300' is neither a host name nor an address"),
        ("10.9.0.3:5432", "'10.9.0.3:5432' in '10.9.0.3:5432' is neither a host name nor an"),
        ("fe80::1%eth0", "'fe80::1%eth0' in 'fe80::1%eth0' is neither a host name nor an"),
        ("nöde", r"'n\xf6de' in 'n\xf6de' is neither a host name nor an address"),
        ("10.9.0.021", "'10.9.0.021' in '10.9.0.021' is neither a host name nor an address"),
        ("0x0a.9.0.21", "'0x0a.9.0.21' in '0x0a.9.0.21' is neither a host name nor an address"),
        ("::ffff:10.9.0.3", "'::ffff:10.9.0.3' in '::ffff:10.9.0.3' is neither a host name nor an"),
        ("node1,1 node2 node1,3", "node1 is listed twice"),
        ("node1,1 Node1,3", "Node1 is listed twice"),
        ("fd77::11 FD77:0::11", "fd77::11 is listed twice"),
    ],
)
def test_a_malformed_list_of_hosts_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r"^must be hosts with optional weights") as caught:
        WEIGHTED_HOSTS(text)
    assert f": {problem}" in str(caught.value)


COMMA = "; write a comma before the weight, as in node1,1 (the port is the service's)"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("node1:3 node2:1", COMMA),
        ("node1=3", COMMA),
        ("10.9.0.3:5432", COMMA.replace("node1", "10.9.0.3")),
        ("node1, 3", "; write no blank behind the comma"),
        ("node1,3;node2,1", "; hosts are separated by blanks"),
        ("node1;node2", "; hosts are separated by blanks"),
        ("node1,node2,node3", "; hosts are separated by blanks"),
        ("node1,x/y", ""),
        ("-C", ""),
    ],
)
def test_an_error_hints_at_the_probable_meaning(text: str, hint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the message is tested below
        WEIGHTED_HOSTS(text)
    message = str(caught.value)
    assert message.endswith(hint)
    assert (";" in message.replace("node1;node2", "").replace("3;node2", "")) is bool(hint)


@pytest.mark.parametrize(
    ("text", "address"),
    [("10.9.0.20", "10.9.0.20"), ("FD77:0::0020", "fd77::20"), ("2001:db8::1", "2001:db8::1")],
)
def test_the_address_of_a_service(text: str, address: str) -> None:
    assert SERVICE_ADDRESS(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("10.9.0.300", "10.9.0", "010.9.0.20", "10.9.0.20/24", "10.9.0.20:80", "3232235777"),
        *("localhost", "vip.example.com", "-C", "10.9.0.20 ", "10.9.0.20\n-C", "[fd77::1]"),
        *(
            "fd77::1/64",
            "fe80::1%eth0",
            "fe80::1%x\n-C",
            "fd77:::1",
            "0x0a090014",
            "::ffff:10.9.0.20",
        ),
        *("127.0.0.1", "::1", "0.0.0.0", "::", "224.0.0.18", "ff02::12", "255.255.255.255"),
    ],
)
def test_an_unfit_address_of_a_service_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a unicast IPv4 or IPv6 address"):
        SERVICE_ADDRESS(text)


def test_the_options_of_a_service() -> None:
    assert SERVICE_OPTIONS(" -s  wrr -p 600\n") == ServiceConfig("wrr", 600)


@pytest.mark.parametrize(
    "text",
    [
        *("-C", "-s rr -C", "-A -t 10.9.0.21:80", "-t 10.9.0.21:80", "-f 1", "-a -r 10.77.0.9"),
        *("rr", "-s", "-s nosuch", "-s -p", "-R", "--clear", "-s rr; reboot", "-w 3", "-p 0"),
    ],
)
def test_options_that_do_something_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be options of a virtual service"):
        SERVICE_OPTIONS(text)


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), ("500ms", 0.5), ("1min", 60)])
def test_a_positive_duration_is_accepted(text: str, seconds: float) -> None:
    assert POSITIVE_DURATION(text) == seconds


@pytest.mark.parametrize("text", ["0", "0s", "-1", "1d", "never", "soon"])
def test_a_duration_of_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a duration longer than 0.*1min$"):
        POSITIVE_DURATION(text)


def test_an_address_of_one_link_is_no_address_of_a_service() -> None:
    with pytest.raises(ValueError, match=r": a link-local address is of one link only$"):
        SERVICE_ADDRESS("fe80::1")


def test_attributes() -> None:
    for name in ("pgsql-status", "readable", "my-standby", "maintenance"):
        assert ATTRIBUTE(name) == name
    with pytest.raises(ValueError, match=r": crm_mon shows no attribute that begins with standby$"):
        ATTRIBUTE("standby-ready")
