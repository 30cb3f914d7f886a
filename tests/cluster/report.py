"""The report of a drill, and the table of all reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

INTERVAL = 5.0  # seconds, from one monitor of the director to the next, in all examples


class Lap(NamedTuple):
    """Time until the cluster was as required."""

    what: str
    seconds: float

    @property
    def intervals(self) -> float:
        """Return the time in intervals of the director's monitor."""
        return self.seconds / INTERVAL

    def __str__(self) -> str:
        return f"{self.what} {self.seconds:.1f} = {self.intervals:.1f}"


class Report(NamedTuple):
    """Results of the clients, and the measured times."""

    drill: str
    failed: int
    opened: int
    gap: float
    """The longest time in seconds without a new connection."""
    broken: Counter[str]
    """Established sessions that broke, by the machine that they were on."""
    sessions: int
    laps: tuple[Lap, ...]
    story: tuple[str, ...] = ()
    """The events, line by line, if the name of the drill does not contain them."""

    def __str__(self) -> str:
        lost = " ".join(f"{name}:{count}" for name, count in sorted(self.broken.items())) or "-"
        new, broken = f"{self.failed}/{self.opened}", f"{lost} of {self.sessions}"
        laps = "; ".join(map(str, self.laps))
        return "\n".join([_line(self.drill, new, f"{self.gap:.1f}", broken, laps), *self.story])


def table(reports: Iterable[Report]) -> list[str]:
    """Return a heading and one line for each report."""
    laps = f"until it was right: s = monitor intervals of {INTERVAL:g} s"
    return [_line("drill", "failed/new", "gap s", "sessions broken", laps), *map(str, reports)]


def _line(drill: str, new: str, gap: str, broken: str, laps: str) -> str:
    return f"{drill:52} {new:>10} {gap:>6}  {broken:24} {laps}"
