"""Parallel queries, of which the first answer wins, within a deadline.

Each query runs in a thread.  A thread that is still blocked after the first answer, or at the
deadline, is abandoned.  So a blocked resolver or a silent peer never delays the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread

from ...errors import SourceUnavailable
from ...values.deadline import Deadline
from ...values.light_typing import TypeVar

T = TypeVar("T")

_HEAD_START = 0.3  # seconds between the start of one attempt and of the next


class Bell:
    """A condition on which threads wait for answers, for some time, or for the end.

    Any thread may call ``stop``, which ends every wait at once.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        self.ring()

    def is_stopped(self) -> bool:
        return self._stopped

    def ring(self) -> None:
        """Wake all waiting threads, so that they check their conditions again."""
        with self._condition:
            self._condition.notify_all()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Wait until ``until`` is true, for ``seconds`` at most."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or until(), seconds)


def find_first_answer(
    attempts: Sequence[tuple[str, Callable[[], T]]], deadline: Deadline, bell: Bell
) -> tuple[int, T, float]:
    """Return the first answer of all attempts: its index, the answer, and its start time.

    ``attempts`` are names and functions; each attempt starts a moment after the one before.  Raises
    SourceUnavailable with all reasons without an answer in time, or when ``bell`` is stopped.
    Raises any other error of an attempt.
    """
    outcomes: list[tuple[int, T | Exception, float]] = []
    failures: dict[int, str] = {}
    started_count = 0
    while len(failures) < len(attempts) and not bell.is_stopped():
        if started_count < len(attempts):
            arguments = (started_count, attempts[started_count][1], outcomes, bell)
            Thread(target=_run_attempt, args=arguments, daemon=True).start()
            started_count += 1
        pause = deadline if started_count == len(attempts) else deadline.limit_to(_HEAD_START)
        bell.wait(pause.remaining(), lambda: bool(outcomes))
        while outcomes:
            index, outcome, queried_at = outcomes.pop(0)
            if not isinstance(outcome, Exception):
                return index, outcome, queried_at
            if not isinstance(outcome, SourceUnavailable):
                raise outcome
            failures[index] = str(outcome)
        if deadline.is_expired():
            break
    missing_reason = "stopped" if bell.is_stopped() else "no answer in time"
    reasons = (f"{name}: {failures.get(i, missing_reason)}" for i, (name, _) in enumerate(attempts))
    raise SourceUnavailable("; ".join(reasons))


def _run_attempt(
    index: int,
    attempt: Callable[[], T],
    outcomes: list[tuple[int, T | Exception, float]],
    bell: Bell,
) -> None:
    queried_at = time.monotonic()
    outcome: T | Exception
    try:
        outcome = attempt()
    except Exception as error:
        outcome = error
    outcomes.append((index, outcome, queried_at))
    bell.ring()
