"""The addresses of this host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from lvsdr.system.net.own_addresses import (
    OwnAddress,
    find_own_addresses,
    has_address,
    list_addresses,
)

from tests.support.namespaces import ip_batch, run_in_new_network


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
    assert find_own_addresses(host) == own


def test_a_name() -> None:
    assert "127.0.0.1" in find_own_addresses("localhost")


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
            host: find_own_addresses(host)
            for host in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1")
        }
        assert found == {
            "192.0.2.1": ["192.0.2.1"],
            "192.0.2.2": [],
            "2001:db8::1": ["2001:db8::1"],
            "2001:db8::2": [],
            "::ffff:192.0.2.1": ["::ffff:192.0.2.1"],
        }

    run_in_new_network(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_an_address_that_another_host_has_is_not_own() -> None:
    """An address that duplicate address detection has refused is not this host's own.

    A connection to it leaves this host.
    """

    def work() -> None:
        ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        ip("link", "set", "v0", "up")  # without a link it stays tentative
        ip("-6", "address", "add", "2001:db8::1/64", "dev", "v0")
        assert find_own_addresses("2001:db8::1") == []

    run_in_new_network(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_every_address_is_listed() -> None:
    """The list has labels, secondary addresses, peers and tentative addresses."""

    def work() -> None:
        ip("link", "set", "lo", "up")
        ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        ip("link", "set", "v0", "addrgenmode", "none", "up")
        ip("address", "add", "192.0.2.1/24", "dev", "v0", "label", "v0:first")
        ip("address", "add", "192.0.2.2/24", "dev", "v0")
        ip("address", "add", "192.0.2.9", "peer", "198.51.100.1", "dev", "v0")
        ip("-6", "address", "add", "2001:db8::1/64", "dev", "v0")
        assert set(list_addresses()) == {
            OwnAddress("lo", "127.0.0.1"),
            OwnAddress("lo", "::1"),
            OwnAddress("v0", "192.0.2.1"),
            OwnAddress("v0", "192.0.2.2"),
            OwnAddress("v0", "192.0.2.9"),
            OwnAddress("v0", "2001:db8::1", usable=False),
        }
        assert has_address("v0", "192.0.2.2")
        assert not has_address("lo", "192.0.2.2")
        assert not has_address("v0", "192.0.2.0")

    run_in_new_network(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_a_list_of_any_length() -> None:
    def work() -> None:
        ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        wanted = [f"10.9.{number // 250}.{number % 250}" for number in range(400)]
        ip_batch(f"address add {address}/32 dev v0" for address in wanted)
        assert [found.address for found in list_addresses()] == wanted

    run_in_new_network(work)
