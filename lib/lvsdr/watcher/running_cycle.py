"""A cycle that the watcher has started: its descriptors, its time limit and its end."""

from __future__ import annotations

import os
from contextlib import suppress
from signal import SIGKILL, SIGTERM

from ..system.process.spawn import kill_group, reap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..system.process.spawn import Child

_LAST_MOMENT = 1.0  # seconds after the time limit for the cycle to end its programs


class RunningCycle:
    """A running cycle; ``limit`` is the time at which it is killed."""

    def __init__(self, child: Child, limit: float) -> None:
        self._child = child
        self.limit = limit
        try:
            self.ended = os.pidfd_open(child.pid)
        except OSError:
            self.kill()
            reap(child)
            raise

    @property
    def descriptors(self) -> tuple[int, int, int]:
        return self._child.stdout, self._child.stderr, self.ended

    def end(self, now: float) -> None:
        """End the cycle: it has a moment to end its programs with their children first."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, SIGTERM if now < self.limit + _LAST_MOMENT else SIGKILL)

    def kill(self) -> None:
        """End the cycle at once."""
        kill_group(self._child.pid)

    def reap(self) -> int:
        """Close the descriptors; return the exit code, negative for a signal."""
        os.close(self.ended)
        return os.waitstatus_to_exitcode(reap(self._child))
