"""Ask several at once where the first answer is as good as any, and never wait too long.

The questions are asked in threads, which are left to themselves once nobody waits for them any
more; so whatever blocks, a resolver or a silent peer, the one who asked goes on in time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread

from ..deadline import Deadline
from ..errors import SourceUnavailable
from ..typed import TypeVar

T = TypeVar("T")

_HEAD_START = 0.3  # seconds that each has before the next one is asked, too


class Bell:
    """What a thread waits at: for answers, for some time, or for the word to stop.

    ``stop`` may be called by any thread, and ends every wait at once.
    """

    def __init__(self) -> None:
        self._condition = Condition()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        self.ring()

    def stopped(self) -> bool:
        return self._stopped

    def ring(self) -> None:
        """Let whoever waits look again."""
        with self._condition:
            self._condition.notify_all()

    def wait(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Wait until ``until`` is true, but no longer than this."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or until(), seconds)


def first(
    attempts: Sequence[tuple[str, Callable[[], T]]], deadline: Deadline, bell: Bell
) -> tuple[int, T, float]:
    """The first answer of any of them: whose, which, and when that was asked for.

    ``attempts`` are names with what asks; each begins a moment after the one before.  Raises
    SourceUnavailable with all reasons when nobody answers in time, or when ``bell`` says stop, and
    any other error that one of them raises.
    """
    ended: list[tuple[int, T | Exception, float]] = []
    failures: dict[int, str] = {}
    started = 0
    while len(failures) < len(attempts) and not bell.stopped():
        if started < len(attempts):
            arguments = (started, attempts[started][1], ended, bell)
            Thread(target=_run, args=arguments, daemon=True).start()
            started += 1
        pause = deadline if started == len(attempts) else deadline.sooner(_HEAD_START)
        bell.wait(pause.remaining(), lambda: bool(ended))
        while ended:
            index, outcome, asked = ended.pop(0)
            if not isinstance(outcome, Exception):
                return index, outcome, asked
            if not isinstance(outcome, SourceUnavailable):
                raise outcome
            failures[index] = str(outcome)
        if deadline.expired():
            break
    late = "stopped" if bell.stopped() else "no answer in time"
    reasons = (f"{name}: {failures.get(i, late)}" for i, (name, _) in enumerate(attempts))
    raise SourceUnavailable("; ".join(reasons))


def _run(
    index: int, ask: Callable[[], T], ended: list[tuple[int, T | Exception, float]], bell: Bell
) -> None:
    asked = time.monotonic()
    outcome: T | Exception
    try:
        outcome = ask()
    except Exception as error:
        outcome = error
    ended.append((index, outcome, asked))
    bell.ring()
