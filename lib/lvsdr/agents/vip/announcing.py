"""Announcements to the neighbours: the first one at once, the others in the background."""

from __future__ import annotations

from ...address.interfaces import Interface
from ...system.net import announcer, arp
from ...system.net.announcement import frames, tellable
from ...system.net.announcer import Process, Rounds
from .saved_place import recall, store
from .settings import Place


def announce(path: str, place: Place, interface: Interface, times: int, interval: float) -> None:
    """Announce the address at once, and again in the background until ``times`` is reached.

    The interval is in seconds.  Send nothing on an interface without neighbours.  ``path`` is the
    state file, which records the process that goes on sending.  Raise LvsdrError if sending fails.
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
    """End the process that goes on announcing, if there is one."""
    process: Process | None = recall(path).announcer
    if process is not None:
        announcer.end(process)
