"""A writer of lines that never makes its caller wait."""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Thread

_QUEUE_LENGTH = 1000  # lines that wait to be written


class LineWriter:
    """Lines for a descriptor, written by a thread of its own.

    A pipe without a reader, a journal that hangs or a full disk blocks only that thread.  While it
    is blocked, a limited number of lines is kept, and later lines are dropped.
    ``build_loss_line`` builds the line that reports their number once writing is possible again.
    """

    def __init__(self, descriptor: int | None, build_loss_line: Callable[[int], str]) -> None:
        self._descriptor = descriptor
        self._build_loss_line = build_loss_line
        self._changed = Condition()
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._writing = False
        self._started = False

    def write(self, line: str) -> None:
        """Queue a line, or drop it if too many are waiting."""
        if self._descriptor is None:
            return
        with self._changed:
            if len(self._lines) >= _QUEUE_LENGTH:
                self._dropped += 1
                return
            self._report_dropped()
            self._lines.append(line)
            self._changed.notify_all()
            if not self._started:
                self._started = True
                Thread(target=self._work, daemon=True).start()

    def flush(self, seconds: float) -> bool:
        """Wait until all lines are written, for ``seconds`` at most; return whether all are."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._lines or self._writing), seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: bool(self._lines))
                line, self._writing = self._lines.popleft(), True
                if not self._lines:
                    self._report_dropped()
            with suppress(OSError, ValueError):
                self._write_all(line)

    def _report_dropped(self) -> None:
        """Queue the line about dropped lines, if there are any."""
        if self._dropped:
            self._lines.append(self._build_loss_line(self._dropped))
            self._dropped = 0

    def _write_all(self, line: str) -> None:
        """Write the whole line, however long that takes; raise OSError."""
        remaining_bytes = f"{line}\n".encode("utf-8", "backslashreplace")
        while remaining_bytes:
            remaining_bytes = remaining_bytes[self._write_part(remaining_bytes) :]

    def _write_part(self, data: bytes) -> int:
        assert self._descriptor is not None
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:  # another process has made the descriptor non-blocking
            poller = select.poll()
            poller.register(self._descriptor, select.POLLOUT)
            poller.poll()
            return 0
