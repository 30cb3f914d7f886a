"""Telling the neighbours: once at once, then again in the background."""

from __future__ import annotations

from ...address.announcing import frames, tellable
from ...interfaces import Interface
from ...system import announcer, arp
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
    told = frames(place, interface)
    arp.send(interface.name, told)
    if times > 1:
        rounds = Rounds(interface.name, told, times - 1, interval)
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
