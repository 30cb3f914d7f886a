"""Properties of hosts and addresses."""

from __future__ import annotations

import pytest
from lvsdr.values.hosts import is_remote


@pytest.mark.parametrize("address", ["10.77.0.11", "192.0.2.1", "223.255.255.255", "fd77::11"])
def test_an_address_that_others_can_send_to(address: str) -> None:
    assert is_remote(address)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.1.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "ff02::1"],
)
def test_an_address_that_no_other_can_send_to(address: str) -> None:
    assert not is_remote(address)
