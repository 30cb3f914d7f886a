"""The loop of the watcher: one thread, which never waits for anything but its descriptors."""

from __future__ import annotations

import gc
import os
import select
import time
from contextlib import suppress

from ..system import locking, small_files
from ..system.daemon import line_server
from ..system.process import fork, identity
from . import last_cycle, quick
from .bell import Ring, create_bell
from .check_results import PolledChecks
from .control import read_record
from .facts import digest_parameters
from .last_cycle import read_cycle
from .running_cycle import RunningCycle
from .schedule import (
    USUAL,
    Pace,
    Schedule,
    after_begin,
    after_change,
    after_end,
    after_event,
    after_result,
    find_next_cycle,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..system.checks.counted_checks import CountedChecks
    from .facts import Paths
    from .last_cycle import LastCycle

_POLL = 0.05  # seconds between two attempts to find the own record or to get the lock
_RECORDING = 5.0  # seconds for the record by the action that started the watcher
_LOOK = 0.2  # seconds between two looks at a bell that does not call
_CHECK = 1.0  # seconds between two looks at the watcher's own right to exist
_EXTRA = 5.0  # seconds after the timeout of a cycle before it is killed
_PIECE = 65536
_NOT_RUNNING = 7


class Watcher:
    """The resident process of one resource; ``cycle`` is the command that runs one cycle.

    ``checks`` are the health checks, if the resource has any.
    """

    def __init__(
        self,
        cycle: tuple[str, ...],
        environ: Mapping[str, str],
        files: Paths,
        pace: Pace = USUAL,
        checks: CountedChecks | None = None,
    ) -> None:
        self._cycle = cycle
        self._environ = environ
        self._files = files
        self._checks = None if checks is None else PolledChecks(checks, files.checks)
        self._digest = ""
        self._myself = identity.find_own_process()
        fork.prepare()
        self._bell = create_bell(environ)
        # A change after the action's own cycle, before this begin, is not announced any more.
        self._schedule = Schedule(began=time.monotonic(), rung=True, gap=pace.gap)
        self._pause = pace.pause
        self._child: RunningCycle | None = None
        self._checked = 0.0
        self._speaks = False

    def run(self) -> None:
        """Watch until the resource is stopped, or another watcher has taken over."""
        if not self._await_record() or self._take_lock() is None or not self._is_recorded():
            return  # it was started by hand, or another watcher has taken over
        gc.enable()  # the agents switch it off, because an action ends soon
        try:
            self._listener = line_server.listen(self._files.socket)
        except OSError:
            return  # the monitors go on without a watcher, and say so
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        try:
            self._choose_targets(read_cycle(self._files.cycle))
            while self._may_go_on():
                self._step()
        finally:
            self._end()

    def _await_record(self) -> bool:
        """Wait until the action that started this process has recorded it."""
        limit = time.monotonic() + _RECORDING
        while not self._is_recorded():
            if time.monotonic() >= limit:
                return False
            time.sleep(_POLL)
        return True

    def _is_recorded(self) -> bool:
        known = read_record(self._files.record)
        return known is not None and known.process == self._myself

    def _has_files(self) -> bool:
        """Test whether the resource is started, and this is its watcher.

        A file that cannot be read, for want of a descriptor for example, is no reason to end.
        """
        known = read_record(self._files.record)
        if known is not None and known.process != self._myself:
            return False
        return all(map(os.path.lexists, (self._files.record, self._files.cycle)))

    def _take_lock(self) -> int | None:
        """Lock the watcher's file; a watcher that is not the recorded one ends within a second."""
        limit = time.monotonic() + 2 * _CHECK
        while (lock := locking.lock(self._files.lock)) is None and time.monotonic() < limit:
            time.sleep(_POLL)
        return lock

    def _may_go_on(self) -> bool:
        now = time.monotonic()
        if now - self._checked < _CHECK:
            return True
        self._checked = now
        if not self._has_files():
            return False
        last = read_cycle(self._files.cycle)
        if last is not None:
            self._digest = digest_parameters(self._environ, last.names)
        for descriptor in self._bell.descriptors:
            self._poll.unregister(descriptor)
        self._bell.tend(now)
        for descriptor in self._bell.descriptors:
            self._poll.register(descriptor, select.POLLIN)
        return True

    def _step(self) -> None:
        now = time.monotonic()
        if self._child is None:
            if find_next_cycle(self._schedule) <= now:
                self._begin_cycle(now)
        elif self._child.limit <= now:
            self._child.end(now)
        spoke = False
        ready = [descriptor for descriptor, _ in self._poll.poll(self._wait(now) * 1000)]
        if self._checks is not None and self._checks.advance(ready, self._poll):
            self._schedule = after_result(self._schedule)
        for descriptor in ready:
            if descriptor == self._listener.fileno():
                line_server.reply(self._listener, quick.format_line(self._digest))
            elif descriptor in self._bell.descriptors:
                self._read_bell(descriptor)
                spoke = True
            elif self._child is not None and descriptor in self._child.descriptors:
                self._attend(self._child, descriptor)
        self._speaks = spoke
        if not spoke:
            self._note_ring(self._bell.take_ring(), time.monotonic())

    def _note_ring(self, ring: Ring, now: float) -> None:
        if ring is Ring.CHANGE:
            self._schedule = after_change(self._schedule, now)
        elif ring is Ring.EVENT:
            self._schedule = after_event(self._schedule, now)

    def _read_bell(self, descriptor: int) -> None:
        before = self._bell.descriptors
        self._bell.read(descriptor)
        if not self._bell.descriptors:
            for each in before:
                self._poll.unregister(each)

    def _wait(self, now: float) -> float:
        longest = self._pause if self._speaks else _LOOK if self._bell.looks else _CHECK
        if self._checks is not None:
            longest = self._checks.limit_wait(longest, now)
        if self._child is not None:
            return longest
        return max(0.0, min(longest, find_next_cycle(self._schedule) - now))

    def _begin_cycle(self, now: float) -> None:
        self._schedule = after_begin(self._schedule, now)
        last = read_cycle(self._files.cycle)
        timing = last_cycle.USUAL if last is None else last.timing
        environ = last_cycle.replace_timing(self._environ, timing)
        environ[last_cycle.BELL_TROUBLE] = self._bell.trouble
        limit = now + int(timing.timeout) / 1000 + _EXTRA
        try:
            self._child = RunningCycle(fork.spawn_tied(self._cycle, environ=environ), limit)
        except OSError:
            # No process or descriptor is left.  The change that rang has not been seen by a cycle.
            self._schedule = after_end(self._schedule, now, now)
            return
        for descriptor in self._child.descriptors:
            self._poll.register(descriptor, select.POLLIN)

    def _attend(self, child: RunningCycle, descriptor: int) -> None:
        """Drain the output of the cycle; take note of its end."""
        if descriptor != child.ended:
            if not os.read(descriptor, _PIECE):
                self._poll.unregister(descriptor)
            return
        for each in child.descriptors:
            with suppress(KeyError):
                self._poll.unregister(each)
        code = child.reap()
        self._child = None
        last = read_cycle(self._files.cycle)
        self._choose_targets(last)
        due = None if last is None else last.due
        self._schedule = after_end(self._schedule, time.monotonic(), due)
        if code == _NOT_RUNNING:
            self._checked = 0.0
            with suppress(OSError):
                small_files.remove(self._files.record)

    def _choose_targets(self, last: LastCycle | None) -> None:
        """Check the hosts that the last cycle found."""
        if self._checks is not None and last is not None:
            self._checks.keep(last.targets, self._poll)

    def _end(self) -> None:
        if self._checks is not None:
            self._checks.close()
        if self._child is not None:
            self._child.kill()
        self._bell.end()
        self._listener.close()
        known = read_record(self._files.record)
        if known is None or known.process == self._myself:
            for path in (self._files.socket, self._files.record):
                with suppress(OSError):
                    os.unlink(path)
