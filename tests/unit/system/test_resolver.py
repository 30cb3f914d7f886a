"""From names to addresses."""

from __future__ import annotations

import socket
import time

import pytest
from lvsdr.deadline import Deadline
from lvsdr.model import Resolved
from lvsdr.system.resolver import resolve


def one(host: str, ipv6: bool = False, seconds: float = 5.0) -> Resolved:
    found = resolve([host], ipv6=ipv6, deadline=Deadline.after(seconds))
    assert list(found) == [host]
    return found[host]


@pytest.mark.parametrize(
    ("host", "ipv6", "addresses", "problem"),
    [
        ("10.77.0.11", False, ["10.77.0.11"], ""),
        ("fd77::11", True, ["fd77::11"], ""),
        ("FD77:0::0011", True, ["fd77::11"], ""),
        ("10.77.0.11", True, [], "10.77.0.11 is not an IPv6 address"),
        ("fd77::11", False, [], "fd77::11 is not an IPv4 address"),
        ("127.0.1.1", False, [], "127.0.1.1 is no address that a real server can have"),
        ("::1", True, [], "::1 is no address that a real server can have"),
        ("0.0.0.0", False, [], "0.0.0.0 is no address that a real server can have"),
        ("224.0.0.1", False, [], "224.0.0.1 is no address that a real server can have"),
        ("ff02::1", True, [], "ff02::1 is no address that a real server can have"),
    ],
)
def test_literals(host: str, ipv6: bool, addresses: list[str], problem: str) -> None:
    assert one(host, ipv6) == Resolved(addresses, problem)


def test_a_name_of_this_host_only() -> None:
    assert one("localhost") == Resolved([], "127.0.0.1 is no address that a real server can have")


def test_a_name_that_does_not_resolve() -> None:
    found = one("no-such-host.invalid", seconds=10)
    assert (found.addresses, found.problem != "") == ([], True)


@pytest.mark.parametrize("name", ["a" * 64, "ü" * 64, "-C", "a..b", ".", "x" * 300])
def test_a_strange_name(name: str) -> None:
    found = one(name, seconds=10)
    assert (found.addresses, found.problem != "") == ([], True)


def test_many_at_once() -> None:
    hosts = [f"10.77.0.{number}" for number in range(1, 200)]
    assert resolve([*hosts, *hosts], ipv6=False, deadline=Deadline.after(0)) == {
        host: Resolved([host]) for host in hosts
    }


class Resolver:
    """A resolver that knows ``names``, and takes its time for those that it does not."""

    def __init__(self, **names: str) -> None:
        self._names = names

    def __call__(self, name: str, family: int) -> list[str]:
        assert family in (socket.AF_INET, socket.AF_INET6)
        if name not in self._names:
            time.sleep(3)
            raise OSError
        return self._names[name].split()


def test_a_slow_resolver_holds_up_nobody_else() -> None:
    resolver = Resolver(node1="10.77.0.11", node2="10.77.0.12")
    start = time.monotonic()
    hosts = ["node1", "slow", "node2", "slower"]
    found = resolve(hosts, ipv6=False, deadline=Deadline.after(0.2), resolver=resolver)
    assert found == {
        "node1": Resolved(["10.77.0.11"]),
        "slow": Resolved([], "the resolver did not answer in time"),
        "node2": Resolved(["10.77.0.12"]),
        "slower": Resolved([], "the resolver did not answer in time"),
    }
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("answer", "addresses", "problem"),
    [
        ("10.77.0.12 10.77.0.11", ["10.77.0.11", "10.77.0.12"], ""),
        ("127.0.1.1 10.77.0.11", ["10.77.0.11"], ""),
        ("127.0.1.1", [], "127.0.1.1 is no address that a real server can have"),
        ("127.0.1.1 127.0.0.1", [], "127.0.0.1 is no address that a real server can have"),
    ],
)
def test_of_several_addresses_those_that_can_be_used(
    answer: str, addresses: list[str], problem: str
) -> None:
    deadline, resolver = Deadline.after(5), Resolver(node1=answer)
    found = resolve(["node1"], ipv6=False, deadline=deadline, resolver=resolver)
    assert found == {"node1": Resolved(addresses, problem)}


def test_an_address_of_one_link_is_of_no_use() -> None:
    """IPVS has no zones: the kernel would refuse it."""
    deadline = Deadline.after(5)
    resolver = Resolver(node1="fe80::1%eth0", node2="fe80::1%eth0 fd77::12")
    found = resolve(["node1", "node2"], ipv6=True, deadline=deadline, resolver=resolver)
    assert found == {
        "node1": Resolved([], "fe80::1 is no address that a real server can have"),
        "node2": Resolved(["fd77::12"]),
    }


def test_nobody() -> None:
    assert resolve([], ipv6=False, deadline=Deadline.after(0)) == {}
