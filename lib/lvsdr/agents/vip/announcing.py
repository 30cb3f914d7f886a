"""Telling the neighbours: once at once, then again in the background."""

from __future__ import annotations

from ...interfaces import Interface
from ...packets import announcement
from ...system import announcer, arp, sysctl
from ...system.announcer import Process, Rounds
from .memory import recall, store
from .settings import Place


def announce(path: str, place: Place, interface: Interface, times: int, interval: float) -> None:
    """Announce the address ``times`` times, every ``interval`` seconds; returns after the first.

    Where nobody can be told nothing is sent.  ``path`` is that of the state, which has to know
    who goes on sending.  Raises LvsdrError.
    """
    if not tellable(interface):
        return
    frames = announcement(interface.mac, place.address, _forwards(place))
    arp.send(interface.name, frames)
    if times > 1:
        rounds = Rounds(interface.name, frames, times - 1, interval)
        announcer.begin(
            rounds,
            lambda process: store(path, recall(path)._replace(announcer=process)),
            lambda process: recall(path).announcer == process,
        )


def end(path: str) -> None:
    """Let nobody go on announcing."""
    process: Process | None = recall(path).announcer
    if process is not None:
        announcer.end(process)


def tellable(interface: Interface) -> bool:
    """Whether there can be neighbours that learn from such frames as are made here."""
    return interface.carrier and interface.arp and interface.kind == "ether"


def _forwards(place: Place) -> bool:
    """Whether the node is a router on that interface (RFC 4861 wants it to say so)."""
    if ":" not in place.address:
        return False
    return sysctl.value(f"net/ipv6/conf/{place.device}/forwarding") != "0"
