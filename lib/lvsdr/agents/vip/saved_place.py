"""The state that one run leaves to the next: a text file, cheap for the monitor that reads it."""

from __future__ import annotations

from ...errors import LvsdrError
from ...system import state
from ...system.net.announcer import Process
from ...values.light_typing import NamedTuple
from .settings import Place


class SavedPlace(NamedTuple):
    """The place and the announcer of a start; probes and stop can do without them."""

    place: Place | None = None
    announcer: Process | None = None


def recall(path: str) -> SavedPlace:
    """Return the state stored during this boot; empty if the file is missing or malformed."""
    header, _, text = state.read_text(path).partition("\n")
    if not text or header != _header():
        return SavedPlace()
    try:
        return _parsed(text)
    except ValueError:
        return SavedPlace()


def store(path: str, memory: SavedPlace) -> None:
    """Write the state for the next run; raise LvsdrError."""
    lines = [_header()]
    if memory.place is not None:
        address, prefix, device = memory.place
        lines.append(f"place {address} {prefix} {device}")
    if memory.announcer is not None:
        lines.append(f"announcer {memory.announcer.pid} {memory.announcer.start_time}")
    try:
        state.replace(path, "\n".join((*lines, "")), 0o600)
    except OSError as error:
        raise LvsdrError(f"cannot write {path}: {error.strerror}") from None


def _header() -> str:
    return f"boot {state.boot_id()}"


def _parsed(text: str) -> SavedPlace:
    place = announcer = None
    for line in text.splitlines():
        kind, fact = line.split(" ", 1)
        if kind == "place":
            address, prefix, device = fact.split(" ")
            place = Place(address, int(prefix), device)
        elif kind == "announcer":
            pid, started = fact.split(" ")
            announcer = Process(int(pid), int(started))
        else:
            raise ValueError(line)
    return SavedPlace(place, announcer)
