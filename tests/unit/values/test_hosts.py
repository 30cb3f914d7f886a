"""Notations of a host."""

from __future__ import annotations

import pytest
from lvsdr.values.hosts import is_host, is_remote, literal


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.77.0.11", "10.77.0.11"),
        ("FD77:0::0011", "fd77::11"),
        ("::1", "::1"),
        ("node1", None),
        ("10.9.0.300", None),
        ("10.9.0.20/24", None),
        ("010.9.0.20", None),
        ("127.1", None),
        ("[fd77::1]", None),
        ("fe80::1%eth0", None),
        ("1.2.3.+4", None),
        ("1.2.3.٤", None),
        ("", None),
        (" 10.77.0.11", None),
    ],
)
def test_literal(text: str, address: str | None) -> None:
    assert literal(text) == address


@pytest.mark.parametrize(
    "text",
    ["node1", "n", "1node", "node-1.example.com", "node_1", "_n", "10.0.0.1", "fd77::1", "a" * 255],
)
def test_a_host(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-C", "--help", "a,1", "a b", "a\n", "\n", "a;b", "$(id)", "`id`", "a/b", "*", "a'b"),
        *("10.9.0.300", "10.9.0", "1.2.3.4.5", "7", "...", "fd77::zz", "fd77:::1", ":", "a:b"),
        *("nöde", "٣", "a" * 256, "\x00", "10.77.0.11:80", "[fd77::1]"),
    ],
)
def test_no_host(text: str) -> None:
    assert not is_host(text)


@pytest.mark.parametrize("address", ["10.77.0.11", "192.0.2.1", "223.255.255.255", "fd77::11"])
def test_an_address_that_others_can_send_to(address: str) -> None:
    assert is_remote(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.1.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"],
)
def test_an_address_that_no_other_can_send_to(address: str) -> None:
    assert not is_remote(address)
