"""The state that lvsdr-realsvr saves at start, for a stop with broken parameters."""

from __future__ import annotations

from ...ocf.parameters import Values
from ...system import small_files
from ...values.light_typing import NamedTuple
from .parameters import DRAIN_DELAY, DRAIN_TIMEOUT


class DrainTimes(NamedTuple):
    """The waiting times of stop, in seconds."""

    delay: float
    """The time in which the director notices, whether or not connections are left."""
    timeout: float
    """The maximum time after the delay in which connections may end."""


NO_DRAIN = DrainTimes(0.0, 0.0)


class SavedStart(NamedTuple):
    """The address and the drain times of a start during this boot."""

    vip: str
    drain_times: DrainTimes


def read_drain_times(values: Values) -> DrainTimes:
    """Return the drain times in the parameters."""
    return DrainTimes(values[DRAIN_DELAY], values[DRAIN_TIMEOUT])


def load_saved_start(path: str) -> SavedStart | None:
    """Return the state saved during this boot; None if the file is missing or malformed."""
    lines = small_files.read_text(path).splitlines()
    if len(lines) != 4 or lines[0] != _header():
        return None
    try:
        return SavedStart(lines[1], DrainTimes(float(lines[2]), float(lines[3])))
    except ValueError:
        return None


def render_saved_start(saved: SavedStart) -> str:
    """Return the content of the state file for the next run."""
    delay, timeout = saved.drain_times
    return f"{_header()}\n{saved.vip}\n{delay!r}\n{timeout!r}\n"


def _header() -> str:
    return f"realsvr of boot {small_files.boot_id()}"
