"""The checks of one host, which follow each other at an interval, each with a time limit.

A check is a generator.  It yields the descriptor and the events that it waits for, and returns its
finding.  So the event loop decides when it goes on, and a check that hangs costs its host alone.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, Protocol

from ...pool.check_history import CheckResult, Reply
from ...postgres.lag_history import Positions

# A result this long after the time limit means that the checking process stood still.
_STANDSTILL = 1.0  # seconds


class Wait(NamedTuple):
    """The events of ``select.poll`` for which a check waits."""

    fileno: int
    events: int


class CheckFinding(NamedTuple):
    """The finding of one check."""

    reply: Reply
    reason: str
    positions: Positions | None = None


Attempt = Generator[Wait, None, CheckFinding]


class Checker(Protocol):
    """The check of one host by one protocol; it may keep a connection between checks."""

    label: str
    stage: str
    """The present work, for the message after the time limit."""

    def attempt(self) -> Attempt:
        """Make one check.  Closing the generator ends it at any point."""

    def close(self) -> None:
        """Close all connections."""


class HostCheck:
    """The checks of one host: never two at a time."""

    def __init__(self, checker: Checker, interval: float, timeout: float, now: float) -> None:
        self._checker = checker
        self._interval = interval
        self._timeout = timeout
        self._attempt: Attempt | None = None
        self._wait: Wait | None = None
        self._began = now
        self._next = now

    def fileno(self) -> int:
        """Return the descriptor that the check waits for; -1 between two checks."""
        return -1 if self._wait is None else self._wait.fileno

    @property
    def events(self) -> int:
        """The events of ``select.poll`` that the check waits for."""
        return 0 if self._wait is None else self._wait.events

    @property
    def due(self) -> float:
        """The time of the next ``advance``, if no event comes first."""
        return self._next if self._attempt is None else self._began + self._timeout

    def advance(self, now: float, ready: bool) -> tuple[CheckResult, Positions | None] | None:
        """Begin, continue or end a check; return the result if it is over.

        ``ready`` is true if one of the events has come.
        """
        finding = None
        if self._attempt is None:
            if now < self._next:
                return None
            self._began = now
            self._attempt = self._checker.attempt()
            finding = self._step(self._attempt)
        elif ready:
            finding = self._step(self._attempt)
        # An answer that has come counts, however late this process reads it.
        if finding is None and now >= self._began + self._timeout:
            finding = self._give_up(now)
        if finding is None:
            return None
        self._end(now)
        return CheckResult(finding.reply, finding.reason, self._began, now), finding.positions

    def close(self) -> None:
        """End the check, and close all connections."""
        self._end(self._began)
        self._checker.close()

    def _step(self, attempt: Attempt) -> CheckFinding | None:
        try:
            self._wait = next(attempt)
        except StopIteration as end:
            finding: CheckFinding = end.value
            return finding
        except OSError as error:
            return CheckFinding(Reply.NONE, f"{self._checker.label}: {error.strerror or error}")
        except Exception as error:  # an error in a check costs this host alone, not the watcher
            # Its text may contain a password.
            return CheckFinding(Reply.NONE, f"{self._checker.label}: {type(error).__name__}")
        return None

    def _give_up(self, now: float) -> CheckFinding:
        late = now - self._began - self._timeout
        label = self._checker.label
        if late > _STANDSTILL:
            why = f"interrupted: this node or the watcher stood still for {late:.0f} s"
            return CheckFinding(Reply.NONE, f"{label}: {why}")
        why = f"no answer within {self._timeout:g} s while {self._checker.stage}"
        return CheckFinding(Reply.SILENT, f"{label}: {why}")

    def _end(self, now: float) -> None:
        if self._attempt is not None:
            self._attempt.close()
        self._attempt = self._wait = None
        self._next = max(self._began + self._interval, now)
