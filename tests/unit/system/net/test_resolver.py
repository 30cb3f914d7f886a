"""Addresses of names."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable

import pytest
from lvsdr.pool.model import Resolved
from lvsdr.system.net.resolver import Lookups, look_up
from lvsdr.values.deadline import Deadline

from tests.unit.agents.processes import ROOT


def resolve(
    hosts: Iterable[str],
    *,
    ipv6: bool,
    deadline: Deadline,
    resolver: Callable[[str, int], Iterable[str]] = look_up,
) -> dict[str, Resolved]:
    """Wait for the look-ups of all hosts and return their answers."""
    lookups = Lookups(hosts, ipv6=ipv6, resolver=resolver)
    lookups.wait(deadline)
    return lookups.list_results()


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
        (
            "::ffff:10.77.0.11",
            True,
            [],
            "'::ffff:10.77.0.11' is neither a host name nor an address",
        ),
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
    """A resolver that knows ``names``, and takes its time for all others."""

    def __init__(self, **names: str) -> None:
        self._names = names

    def __call__(self, name: str, family: int) -> list[str]:
        assert family in (socket.AF_INET, socket.AF_INET6)
        if name not in self._names:
            time.sleep(3)
            raise OSError
        return self._names[name].split()


def test_a_slow_look_up_delays_no_other() -> None:
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
    """A link-local address is of no use: IPVS has no zones, so the kernel would refuse it."""
    deadline = Deadline.after(5)
    resolver = Resolver(node1="fe80::1%eth0", node2="fe80::1%eth0 fd77::12")
    found = resolve(["node1", "node2"], ipv6=True, deadline=deadline, resolver=resolver)
    assert found == {
        "node1": Resolved([], "fe80::1 is no address that a real server can have"),
        "node2": Resolved(["fd77::12"]),
    }


def test_answers_so_far_are_available() -> None:
    lookups = Lookups(
        ["node1", "slow", "10.9.0.4"], ipv6=False, resolver=Resolver(node1="10.9.0.3")
    )
    assert lookups.wait(Deadline.after(0.2)) is False
    assert lookups.list_results() == {
        "node1": Resolved(["10.9.0.3"]),
        "slow": Resolved([], "the resolver did not answer in time"),
        "10.9.0.4": Resolved(["10.9.0.4"]),
    }


def test_all_have_answered() -> None:
    lookups = Lookups(["node1"], ipv6=False, resolver=Resolver(node1="10.9.0.3"))
    assert lookups.wait(Deadline.after(5)) is True


@pytest.mark.parametrize("text", ["10.9.0.021", "0x0a.9.0.21", "0xA090015", "10.9", "1", "-C", ""])
def test_invalid_hosts_are_never_looked_up(text: str) -> None:
    """A text that is no host is never looked up.

    getaddrinfo reads most of these as an address, 10.9.0.021 as 10.9.0.17.
    """
    resolver = Resolver(**{text: "10.9.0.17"})
    found = resolve([text], ipv6=False, deadline=Deadline.after(5), resolver=resolver)
    assert found == {text: Resolved([], f"{text!a} is neither a host name nor an address")}


def test_an_answer_without_a_usable_address() -> None:
    found = resolve(["node1"], ipv6=True, deadline=Deadline.after(5), resolver=Resolver(node1=""))
    assert found == {"node1": Resolved([], "the resolver has no address that IPVS can use")}


def test_more_names_than_threads() -> None:
    names = {f"node{number}": f"10.9.1.{number}" for number in range(200)}
    found = resolve(names, ipv6=False, deadline=Deadline.after(5), resolver=Resolver(**names))
    assert found == {name: Resolved([address]) for name, address in names.items()}


def test_an_empty_list_needs_no_look_up() -> None:
    assert resolve([], ipv6=False, deadline=Deadline.after(0)) == {}


def test_threads_are_bounded_and_a_lack_of_them_is_no_error() -> None:
    """At most 64 names are looked up at a time, or as many as there are threads for."""
    at_once: list[int] = []

    def resolver(name: str, _: int) -> list[str]:
        assert name
        at_once.append(threading.active_count())
        return ["10.77.0.11"]

    names = [f"node{number}" for number in range(500)]
    found = resolve(names, ipv6=False, deadline=Deadline.after(20), resolver=resolver)
    assert found == {name: Resolved(["10.77.0.11"]) for name in names}
    assert max(at_once) <= threading.active_count() + 64


def test_no_thread_at_all() -> None:
    """A resolver that can start no thread reports the reason.

    RLIMIT_NPROC does not count for root, so the address space is limited instead.
    """
    done = subprocess.run(
        [sys.executable, "-c", _STARVED, str(ROOT / "lib")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "0 cannot start a thread for the resolver: can't start new thread\n"


_STARVED = """
import resource, sys, threading
sys.path.insert(0, sys.argv[1])
from lvsdr.values.deadline import Deadline
from lvsdr.system.net.resolver import Lookups

threading.stack_size(1 << 30)
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
names = [f"node{number}" for number in range(200)]
lookups = Lookups(names, ipv6=False)
lookups.wait(Deadline.after(5))
found = lookups.list_results()
[problem] = {answer.problem for answer in found.values()}
print(sum(len(answer.addresses) for answer in found.values()), problem)
"""
