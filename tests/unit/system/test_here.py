"""Which hosts are this one."""

from __future__ import annotations

import pytest
from lvsdr.system.here import is_here


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("203.0.113.7", False),
        ("2001:db8::1", False),
        ("no-such-host.invalid", False),
        ("a" * 64, False),
    ],
)
def test_is_here(host: str, here: bool) -> None:
    assert is_here(host) is here
