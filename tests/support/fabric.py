"""Bridges in a namespace of their own, and the cables of hosts, which can be pulled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.support.namespaces import entered, ip_batch

FABRIC = "fabric"


def add_namespaces(names: Iterable[str]) -> None:
    """Make the network namespaces of hosts, and that of the fabric."""
    ip_batch(f"netns add {name}" for name in (FABRIC, *names))


def remove_namespaces(names: Iterable[str]) -> None:
    """Remove the namespaces that exist, with their interfaces."""
    existing = (name for name in (FABRIC, *names) if Path("/run/netns", name).exists())
    ip_batch(f"netns del {name}" for name in existing)


def cable(host: str, interface: str, bridge: str, port: str) -> list[str]:
    """Return the commands of ip(8), in the fabric, that connect a host's interface to a bridge.

    The commands are in one batch with those of other cables, because a process for each is slow.
    """
    return [
        f"link add {port} type veth peer name {interface} netns {host}",
        f"link set {port} master {bridge} up",
    ]


def pull(port: str) -> None:
    """Pull the cable at a port: the host loses its carrier, and the others notice nothing."""
    _switch(port, "down")


def plug(port: str) -> None:
    """Plug the cable in again."""
    _switch(port, "up")


def _switch(port: str, state: str) -> None:
    with entered(FABRIC):
        ip_batch([f"link set {port} {state}"])
