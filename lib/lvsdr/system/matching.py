"""Matches of a user's regular expression, possibly endless, within a bounded time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from re import Pattern

from ..values.deadline import Deadline
from ..values.patterns import compute_step_bound

PATIENCE = 1.0  # seconds for one value; a match takes microseconds, or for ever
_TOTAL_PATIENCE = 3.0  # seconds for all values
_CHEAP_STEPS = 100_000  # steps: some milliseconds


def match_values(
    pattern: Pattern[str], values: Iterable[str], deadline: Deadline
) -> dict[str, bool | None]:
    """Return for each value whether the pattern matches all of it; None if that takes too long.

    A child process does the matches without a known bound, and is killed when time is up.
    """
    costs = {value: compute_step_bound(pattern.pattern, len(value)) for value in values}
    results: dict[str, bool | None] = {
        value: pattern.fullmatch(value) is not None
        for value, cost in costs.items()
        if cost <= _CHEAP_STEPS
    }
    costly = [value for value in costs if value not in results]
    deadline = deadline.limit_to(_TOTAL_PATIENCE)
    while costly and not deadline.is_expired():
        answers = _match_in_child(pattern, costly, deadline)
        results.update(zip(costly, answers))
        results.update((value, None) for value in costly[len(answers) :][:1])
        costly = costly[len(answers) + 1 :]
    return {**results, **dict.fromkeys(costly)}


def _match_in_child(pattern: Pattern[str], values: Sequence[str], deadline: Deadline) -> list[bool]:
    """Return the answers that a child gives in time, in the order of the values."""
    from .process.fork import fork  # ctypes and signal cost more than a whole monitor without them
    from .process.run import finish

    def match() -> None:
        for value in values:
            os.write(1, b"y" if pattern.fullmatch(value) else b"n")

    until = deadline.limit_to(PATIENCE)
    result = finish(fork("match", match, until), until)
    return [answer == ord("y") for answer in result.stdout]
