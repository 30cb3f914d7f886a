"""Neighbours without a network segment; the lab tests the cases that need one."""

from __future__ import annotations

from lvsdr.address.interfaces import Interface
from lvsdr.system.net import neighbours
from lvsdr.values.deadline import Deadline

NOWHERE = Interface("nosuch0", 987654, (), True, True, "", "ether", ())


def test_an_unusable_interface_gives_no_neighbour() -> None:
    assert neighbours.find_mac("fd77::9", NOWHERE, Deadline.after(5.0)) is None
