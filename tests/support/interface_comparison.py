"""Interfaces as pyroute2 and ip(8) show them: the same type from both."""

from __future__ import annotations

import contextlib

from lvsdr.address.interfaces import Interface
from lvsdr.system.net import addresses
from lvsdr.system.net.interface_reader import InterfaceReader
from lvsdr.values.deadline import Deadline

PATIENCE = 30.0  # seconds


def read_twice() -> dict[str, tuple[Interface, Interface]]:
    """Return all interfaces of this thread's network by name: of pyroute2, and of ip(8).

    The remaining lifetimes of both are equal: they are compared here, because they run.
    """
    with contextlib.closing(InterfaceReader()) as reader:
        found = {}
        for shown in addresses.read_interfaces(Deadline.after(PATIENCE)):
            read = reader.read(shown.name)
            assert read is not None, shown
            found[shown.name] = (_adjust(read, shown), shown)
            for name in shown.altnames:
                assert _adjust(reader.read(name), shown) == found[shown.name][0]
    return found


def _adjust(read: Interface | None, shown: Interface) -> Interface:
    """Return the interface with the lifetimes of the other one, which was read a moment before."""
    assert read is not None
    assert len(read.addresses) == len(shown.addresses)
    adjusted = []
    for later, earlier in zip(read.addresses, shown.addresses):
        assert (later.preferred_lft is None) == (earlier.preferred_lft is None)
        assert 0 <= (earlier.preferred_lft or 0) - (later.preferred_lft or 0) <= PATIENCE
        adjusted.append(later._replace(preferred_lft=earlier.preferred_lft))
    return read._replace(addresses=tuple(adjusted))
