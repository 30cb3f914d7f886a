"""The health checks beside the loop of the watcher, and the file with their results.

The loop polls the checks' descriptors with its own.  Cycles read the file.
"""

from __future__ import annotations

import time
from contextlib import suppress

from ..system import small_files
from ..system.saved_facts import load_facts, render_facts
from .facts import CHECKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import select
    from collections.abc import Collection, Iterable

    from ..system.checks.counted_checks import CountedChecks
    from ..values.facts import Facts
    from .last_cycle import CheckTarget

_STORING = 1.0  # seconds at most between two results in the file: cycles read how old they are


def load_results(path: str) -> Facts:
    """Return the results that a watcher stored during this boot; empty without any."""
    return load_facts(path, CHECKS, dict) or {}


class PolledChecks:
    """The checks of all hosts, their descriptors in the loop's poll, and their stored results."""

    def __init__(self, checks: CountedChecks, path: str) -> None:
        self._checks = checks
        self._path = path
        self._targets: Collection[CheckTarget] = ()
        self._registered: dict[int, int] = {}
        self._stored = 0.0

    def keep(self, targets: Collection[CheckTarget], poll: select.poll) -> None:
        """Check exactly these hosts."""
        if targets == self._targets:
            return
        self._targets = targets
        addresses = {target.host: target.address for target in targets}
        reserves = {target.host for target in targets if target.is_reserve}
        self._checks.keep(addresses, reserves, time.monotonic())
        self._register(poll)

    def limit_wait(self, longest: float, now: float) -> float:
        """Return the seconds until a check is due, ``longest`` at most."""
        due = self._checks.due()
        return longest if due is None else max(0.0, min(longest, due - now))

    def advance(self, ready: Iterable[int], poll: select.poll) -> bool:
        """Let the checks go on; return true if a cycle is due because of their results.

        ``ready`` are the descriptors, of any owner, with an event.
        """
        now = time.monotonic()
        due = self._checks.due()
        if due is not None and due <= now:
            # An answer that came before ``now`` is no missing one, however long this process stood
            # still between the poll and now.
            ready = [descriptor for descriptor, _ in poll.poll(0)]
        is_due = self._checks.advance(self._registered.keys() & set(ready), now)
        self._register(poll)
        if is_due or now - self._stored >= _STORING:
            self._store(now)
        return is_due

    def close(self) -> None:
        """End all checks."""
        self._checks.close()

    def _register(self, poll: select.poll) -> None:
        """Poll the present descriptors; call this before any other owner opens one."""
        descriptors = self._checks.descriptors()
        for descriptor in self._registered.keys() - descriptors.keys():
            poll.unregister(descriptor)
        for descriptor, events in descriptors.items():
            poll.register(descriptor, events)
        self._registered = descriptors

    def _store(self, now: float) -> None:
        self._stored = now
        with suppress(OSError):  # results that are too old do not count, and cycles report that
            small_files.replace(self._path, render_facts(CHECKS, self._checks.facts()), 0o600)
