"""ARP without a network segment; the lab tests the cases that need one."""

from __future__ import annotations

import pytest
from lvsdr.errors import LvsdrError
from lvsdr.system.net import arp
from lvsdr.values.deadline import Deadline


@pytest.mark.usefixtures("nothing_left")
def test_an_interface_that_is_not_there() -> None:
    """A missing interface or a missing privilege is reported, and nothing stays open."""
    with pytest.raises(LvsdrError, match=r"^cannot (use nosuch0|open a packet socket): "):
        arp.send_frames("nosuch0", [b""])
    with pytest.raises(LvsdrError, match=r"^cannot (use nosuch0|open a packet socket): "):
        arp.find_conflict("nosuch0", "02:00:00:00:00:0a", "10.9.0.20", set(), Deadline.after(5.0))
