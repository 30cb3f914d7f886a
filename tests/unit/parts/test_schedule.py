"""The order of the parts, on machines of several sizes."""

from __future__ import annotations

import pytest

from tests.parts.declaration import SETS, Part
from tests.parts.schedule import startable, weight


def part(name: str, seconds: float = 1, share: float = 1, most: int = 1) -> Part:
    return Part(name, ("true",), seconds, share, most)


def names(parts: list[Part]) -> list[str]:
    return [one.name for one in parts]


LONG, SHORT, TINY = part("long", 100), part("short", 10), part("tiny", 1)
IDLE = part("idle", 5, share=0)
WHOLE = part("whole", 50, most=4)


@pytest.mark.parametrize(
    ("share", "most", "processors", "expected"),
    [(1, 1, 2, 1), (1, 4, 2, 2), (1, 4, 16, 4), (0.75, 4, 2, 1.5), (0, 4, 2, 0)],
)
def test_weight(share: float, most: int, processors: int, expected: float) -> None:
    assert weight(part("p", share=share, most=most), processors) == expected


def test_longest_parts_start_first() -> None:
    assert names(startable([TINY, SHORT, LONG], [], 2)) == ["long", "short"]


def test_a_part_waits_until_its_weight_fits() -> None:
    assert startable([WHOLE], [TINY], 2) == []
    assert startable([WHOLE], [], 2) == [WHOLE]
    assert startable([WHOLE], [TINY], 5) == [WHOLE]


def test_a_light_part_passes_a_heavy_one_that_does_not_fit() -> None:
    assert names(startable([WHOLE, SHORT, IDLE], [LONG], 2)) == ["short", "idle"]


def test_a_part_without_weight_starts_beside_a_full_machine() -> None:
    assert startable([IDLE, SHORT], [WHOLE], 2) == [IDLE]


def test_a_part_heavier_than_the_machine_runs_alone() -> None:
    heavy = part("heavy", share=3)
    assert startable([heavy], [], 1) == [heavy]
    assert startable([heavy], [IDLE], 1) == []


def test_shares_that_fill_the_machine_fit() -> None:
    tenths = [part(f"p{number}", share=0.1) for number in range(12)]
    assert len(startable(tenths, [], 1)) == 10


def test_nothing_starts_before_the_first_part_has_ended() -> None:
    first = part("first", 0.1)._replace(first=True)
    assert startable([LONG, first, IDLE], [], 16) == [first]
    assert startable([LONG, IDLE], [first], 16) == []


@pytest.mark.parametrize("processors", [1, 2, 3, 8])
@pytest.mark.parametrize("name", SETS)
def test_every_part_of_a_set_starts_once(name: str, processors: int) -> None:
    """Each part starts exactly once. Parts end in the order of their start in this simulation."""
    waiting, running, started = list(SETS[name]), list[Part](), list[Part]()
    while waiting or running:
        ready = startable(waiting, running, processors)
        waiting = [one for one in waiting if one not in ready]
        running += ready
        started += ready
        running.pop(0)
    assert sorted(names(started)) == sorted(names(list(SETS[name])))
