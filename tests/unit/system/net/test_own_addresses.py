"""The addresses of this host."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from lvsdr.system.net.netlink import own_addresses

CLONE_NEWNET = 0x40000000


def in_a_network_of_its_own(work: Callable[[], None]) -> None:
    """Run the function in a new network namespace, which has settings of its own."""
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) == 0
            work()
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=enter)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("127.1.2.3", ["127.1.2.3"]),
        ("::1", ["::1"]),
        ("0.0.0.0", ["0.0.0.0"]),
        ("203.0.113.7", []),
        ("2001:db8::1", []),
        ("no-such-host.invalid", []),
        ("a" * 64, []),
    ],
)
def test_own_addresses(host: str, own: list[str]) -> None:
    assert own_addresses(host) == own


def test_a_name() -> None:
    assert "127.0.0.1" in own_addresses("localhost")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_an_address_that_can_only_be_bound_is_not_own() -> None:
    def work() -> None:
        ip("link", "set", "lo", "up")
        ip("link", "add", "d0", "type", "veth", "peer", "name", "d1")
        ip("address", "add", "192.0.2.1/24", "dev", "d0")
        ip("-6", "address", "add", "2001:db8::1/64", "dev", "d0", "nodad")
        ip("link", "set", "d1", "up")
        ip("link", "set", "d0", "up")
        for path in ("ipv4/ip_nonlocal_bind", "ipv6/ip_nonlocal_bind"):
            Path("/proc/sys/net", path).write_text("1")
        found = {
            host: own_addresses(host)
            for host in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1")
        }
        assert found == {
            "192.0.2.1": ["192.0.2.1"],
            "192.0.2.2": [],
            "2001:db8::1": ["2001:db8::1"],
            "2001:db8::2": [],
            "::ffff:192.0.2.1": ["::ffff:192.0.2.1"],
        }

    in_a_network_of_its_own(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_an_address_that_another_host_has_is_not_own() -> None:
    """An address that duplicate address detection has refused is not this host's own.

    A connection to it leaves this host.
    """

    def work() -> None:
        ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        ip("link", "set", "v0", "up")  # without a link it stays tentative
        ip("-6", "address", "add", "2001:db8::1/64", "dev", "v0")
        assert own_addresses("2001:db8::1") == []

    in_a_network_of_its_own(work)
