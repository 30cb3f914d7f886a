"""Parsers of numbers, addresses, hosts and endpoints."""

from __future__ import annotations

import pytest
from lvsdr.values.parsing import (
    canonical_address,
    is_decimal,
    is_host,
    pack_address,
    parse_decimal,
    parse_unicast_address,
    split_endpoint,
    unpack_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.77.0.11", "10.77.0.11"),
        ("FD77:0::0011", "fd77::11"),
        ("::1", "::1"),
        ("::ffff:10.77.0.11", None),
        ("node1", None),
        ("10.9.0.300", None),
        ("10.9.0.20/24", None),
        ("010.9.0.20", None),
        ("127.1", None),
        ("[fd77::1]", None),
        *((text, None) for text in ("fe80::1%eth0", "fd77::1/64", "fd77:::1", "1\0", "é:")),
        ("1.2.3.+4", None),
        ("1.2.3.٤", None),
        ("", None),
        (" 10.77.0.11", None),
    ],
)
def test_the_canonical_form_of_an_address(text: str, address: str | None) -> None:
    assert canonical_address(text) == address


@pytest.mark.parametrize("text", ["10.9.0.20", "fd77::a0", "::", "::ffff:10.9.0.20", "fe80::1"])
def test_octets_and_canonical_text_are_equivalent(text: str) -> None:
    assert unpack_address(pack_address(text)) == text


@pytest.mark.parametrize("text", ["", "10.9.0.020", "10.9.0", "10.9.0.300", "fe80::1%eth0", "1\0"])
def test_a_text_without_octets(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        pack_address(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.9.0.20", "10.9.0.20"),
        ("FD77:0:0::00a0", "fd77::a0"),
        ("fe80::1", "fe80::1"),
        ("::1:0:0:5", "::1:0:0:5"),
    ],
)
def test_a_unicast_address(text: str, address: str) -> None:
    assert parse_unicast_address(text) == address


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "0.0.0.0", "224.0.0.1", "::", "::1", "ff02::1", "fe80::1%eth0", "vip", ""]
)
def test_a_text_that_is_no_unicast_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        parse_unicast_address(text)


@pytest.mark.parametrize("text", ["::ffff:10.9.0.20", "::ffff:a09:14", "::10.9.0.20", "::a09:14"])
def test_an_ipv4_address_in_the_form_of_ipv6_is_no_unicast_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"^an IPv4 address in the form of IPv6$"):
        parse_unicast_address(text)


@pytest.mark.parametrize(("text", "most_digits"), [("0", 1), ("007", 3), ("9" * 18, 18)])
def test_a_decimal_number(text: str, most_digits: int) -> None:
    assert is_decimal(text, most_digits)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1_0", "1.0", "٣", "²", "9" * 19, "x"]
)
def test_a_text_that_is_no_decimal_number(text: str) -> None:
    assert not is_decimal(text)


@pytest.mark.parametrize("text", ["0", "65536", "", "1x", "9" * 5000])
def test_a_number_out_of_its_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        parse_decimal(text, 1, 65535)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("10.77.0.100:5432", ("10.77.0.100", "5432")),
        ("[fd77::64]:5432", ("fd77::64", "5432")),
        ("node1:", ("node1", "")),
        ("9345", ("", "9345")),
    ],
)
def test_the_parts_of_an_endpoint(text: str, parts: tuple[str, str]) -> None:
    assert split_endpoint(text) == parts


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
