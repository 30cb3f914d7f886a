"""The order of the parts: which of them start now, given those that run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.parts.declaration import Part

TOLERANCE = 1e-9  # shares are binary fractions only by chance


def weight(part: Part, processors: int) -> float:
    """Return the number of processors that a part occupies on a machine with so many."""
    return part.share * min(part.most, processors)


def startable(waiting: Iterable[Part], running: Iterable[Part], processors: int) -> list[Part]:
    """Return the waiting parts that start now, the longest first."""
    chosen: list[Part] = []
    candidates = list(waiting)
    urgent = [part for part in candidates if part.first]
    for part in sorted(urgent or candidates, key=lambda part: part.seconds, reverse=True):
        if fits(part, [*running, *chosen], processors):
            chosen.append(part)
    return chosen


def fits(part: Part, running: Sequence[Part], processors: int) -> bool:
    """Test whether a part may run beside the running ones."""
    if not running:
        return True
    if any(one.first for one in running):
        return False
    occupied = sum(weight(one, processors) for one in running)
    return occupied + weight(part, processors) <= processors + TOLERANCE
