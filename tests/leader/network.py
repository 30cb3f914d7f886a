"""Hosts that stores run on: network namespaces with two cables each.

Clients query stores at the front, and members communicate at the back. So a member can be cut off
from the others and still be queried.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping

from tests.support.fabric import FABRIC, add_namespaces, cable, plug, pull, remove_namespaces
from tests.support.hosts import NamespaceHost
from tests.support.namespaces import entered, ip_batch

SIDES = ("front", "back")


class Host(NamespaceHost):
    """A host with a cable at each side."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(name)
        self.front = f"10.78.0.{number}"
        self.back = f"10.78.1.{number}"
        self.unplugged: set[str] = set()

    def unplug(self, side: str) -> None:
        """Pull a cable: packets are lost without notice."""
        pull(f"{self.name}-{side}")
        self.unplugged.add(side)

    def plug(self) -> None:
        """Plug in every cable that was pulled."""
        while self.unplugged:
            plug(f"{self.name}-{self.unplugged.pop()}")


@contextlib.contextmanager
def network(numbers: Mapping[str, int]) -> Iterator[dict[str, Host]]:
    """Yield hosts by name, all connected at both sides, until the end of the block."""
    if os.environ.get("LEADER_TESTS") != "1":
        raise RuntimeError("not in namespaces of our own: start this with tests/leader/run")
    made = {name: Host(name, number) for name, number in numbers.items()}
    add_namespaces(made)
    try:
        with entered(FABRIC):
            ip_batch(_cables(made))
        for host in made.values():
            _configure(host)
        yield made
    finally:
        for host in made.values():
            host.close()
        remove_namespaces(made)


def _cables(names: Iterable[str]) -> Iterator[str]:
    for side in SIDES:
        yield f"link add bridge-{side} type bridge"
        yield f"link set bridge-{side} up"
        for name in names:
            yield from cable(name, side, f"bridge-{side}", f"{name}-{side}")


def _configure(host: Host) -> None:
    lines = ["link set lo up"]
    for side, address in (("front", host.front), ("back", host.back)):
        lines += [f"addr add {address}/24 dev {side}", f"link set {side} up"]
    with host.entered():
        ip_batch(lines)
