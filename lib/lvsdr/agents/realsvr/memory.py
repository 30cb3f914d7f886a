"""The state that lvsdr-realsvr stores at start, for a stop with broken parameters."""

from __future__ import annotations

from ...system import state
from ...values.light_typing import NamedTuple
from .drain import Patience


class Memory(NamedTuple):
    """The address and the drain times of a start during this boot."""

    vip: str
    patience: Patience


def recall(path: str) -> Memory | None:
    """Return the state stored during this boot; None if the file is missing or malformed."""
    lines = state.read_text(path).splitlines()
    if len(lines) != 4 or lines[0] != _header():
        return None
    try:
        return Memory(lines[1], Patience(float(lines[2]), float(lines[3])))
    except ValueError:
        return None


def rendered(memory: Memory) -> str:
    """Return the content of the state file for the next run."""
    delay, timeout = memory.patience
    return f"{_header()}\n{memory.vip}\n{delay!r}\n{timeout!r}\n"


def _header() -> str:
    return f"realsvr of boot {state.boot_id()}"
