"""Prefix lengths, and the addresses of a network."""

from __future__ import annotations

import pytest
from lvsdr.address.prefixes import find_unusable_addresses


@pytest.mark.parametrize(
    ("address", "prefix", "never"),
    [
        ("10.77.0.11", 24, ["10.77.0.0", "10.77.0.255"]),
        ("10.77.0.11", 30, ["10.77.0.8", "10.77.0.11"]),
        ("10.77.0.11", 31, []),
        ("10.77.0.11", 32, []),
        ("fd77::11", 64, ["fd77::"]),
        ("fd77::11", 127, []),
        ("fd77::11", 128, []),
    ],
)
def test_unusable_addresses_of_a_network(address: str, prefix: int, never: list[str]) -> None:
    assert list(find_unusable_addresses(address, prefix)) == never
