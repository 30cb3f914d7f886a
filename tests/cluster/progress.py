"""Progress lines of a bring-up of the cluster, with the seconds since its begin."""

from __future__ import annotations

import time
from collections.abc import Callable

from lvsdr.pacemaker.cluster import ClusterState, Role

LOOK = 1.0  # seconds between two reads of the state
ACTIVE = (Role.STARTED, Role.UNPROMOTED, Role.PROMOTED)

Write = Callable[[str], object]


def write_line(line: str) -> None:
    """Write a line to standard output, unbuffered."""
    print(line, flush=True)


class Progress:
    """Lines with the seconds since `began`, which is a time as `time.time` returns it.

    If `quiet` is true, only warnings are written.
    """

    def __init__(
        self, write: Write = write_line, began: float | None = None, quiet: bool = False
    ) -> None:
        self._write, self._quiet = write, quiet
        self._began = time.time() if began is None else began

    def say(self, text: str) -> None:
        """Write one line, unless `quiet` is true."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Write one line."""
        self._write(f"cluster: {time.time() - self._began:.0f} s: {text}")


class StartReport:
    """A watch during a wait that reports each instance as it starts or gets another role.

    `look` returns the state, or None if it is unknown.
    """

    def __init__(
        self, progress: Progress, look: Callable[[], ClusterState | None], pause: float = LOOK
    ) -> None:
        self._progress, self._look, self._pause = progress, look, pause
        self._seen: ClusterState | None = None
        self._due = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self._pause
        state = self._look()
        if state:
            for phrase in started(self._seen, state):
                self._progress.say(phrase)
            self._seen = state


def started(before: ClusterState | None, now: ClusterState) -> list[str]:
    """Return a phrase for each instance that is active now and was not in that role before.

    A clone itself is not mentioned, only the resource in it.
    """
    new = _active(now) - (_active(before) if before else set())
    return [f"{resource} {role} on {node}" for resource, role, node in sorted(new)]


def _active(state: ClusterState) -> set[tuple[str, str, str]]:
    return {
        (resource, instance.role.value, instance.node)
        for resource, instances in state.resources.items()
        if not resource.endswith("-clone")
        for instance in instances
        if instance.role in ACTIVE and not instance.failed
    }
