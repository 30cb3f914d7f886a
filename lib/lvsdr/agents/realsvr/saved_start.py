"""The state that lvsdr-realsvr saves at start, for a stop with broken parameters."""

from __future__ import annotations

from ...ocf.parameters import Values
from ...system.saved_facts import load_facts, read_lines, render_facts
from ...values.facts import get_value
from ...values.light_typing import NamedTuple
from .parameters import DRAIN_DELAY, DRAIN_TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...values.facts import Facts

_KIND = "realsvr"


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
    return load_facts(path, _KIND, _parse) or _load_bare_values(path)


def render_saved_start(saved: SavedStart) -> str:
    """Return the content of the state file for the next run."""
    return render_facts(_KIND, (("start", (saved.vip, *saved.drain_times)),))


def _parse(facts: Facts) -> SavedStart:
    return _build(get_value(facts, "start").split(" "))


def _load_bare_values(path: str) -> SavedStart | None:
    """Return the state that an earlier version saved, as one value in each line."""
    try:
        return _build(read_lines(path, _KIND) or ())
    except ValueError:
        return None


def _build(values: Iterable[str]) -> SavedStart:
    vip, delay, timeout = values
    return SavedStart(vip, DrainTimes(float(delay), float(timeout)))
