"""The process of a part: started, copied to our output line by line, and ended with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from tests.parts.declaration import Part
from tests.support.paths import ROOT
from tests.support.processes import ends_with_us

KEPT = 24  # lines of output
PATIENCE = 30.0  # seconds: guests of several runs end one after the other
STRAGGLERS = 5.0  # seconds for output of processes that a part left behind

_printing = threading.Lock()


class Running:
    """A part that runs. The thread that starts it must outlive it: see `ends_with_us`."""

    def __init__(self, part: Part, width: int) -> None:
        self.part = part
        self.output: deque[str] = deque(maxlen=KEPT)
        self.began = time.monotonic()
        self._prefix = f"{part.name:{width}} | ".encode()
        self.process = subprocess.Popen(
            [*ends_with_us(), *part.command],
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._relay = threading.Thread(target=self._copy, daemon=True)
        self._relay.start()

    def announce(self, ended: Callable[[Running], None]) -> None:
        """Call `ended`, in a thread, when the part has ended and its output is copied."""
        threading.Thread(target=self._wait, args=(ended,), daemon=True).start()

    @property
    def status(self) -> int:
        """Return the exit status like a shell: 128 and the number of the signal that killed it."""
        code = self.process.wait()
        return 128 - code if code < 0 else code

    def send(self, number: int) -> None:
        """Send a signal to all processes of the part's group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _wait(self, ended: Callable[[Running], None]) -> None:
        self.process.wait()
        self.send(signal.SIGKILL)
        self._relay.join(STRAGGLERS)
        ended(self)

    def _copy(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.output.append(line.decode(errors="replace").rstrip("\n"))
                with _printing:
                    sys.stdout.buffer.write(self._prefix + line.rstrip(b"\n") + b"\n")
                    sys.stdout.buffer.flush()


def _environment() -> dict[str, str]:
    """Return our environment without LAB_RESULTS: reports go where the declaration has them."""
    kept = {name: value for name, value in os.environ.items() if name != "LAB_RESULTS"}
    return {**kept, "PYTHONUNBUFFERED": "1"}


def end(running: Iterable[Running]) -> None:
    """End all parts: politely, so that guests are taken down, then by force."""
    parts = list(running)
    for one in parts:
        one.send(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    for one in parts:
        with contextlib.suppress(subprocess.TimeoutExpired):
            one.process.wait(max(0.0, deadline - time.monotonic()))
        one.send(signal.SIGKILL)
        one.process.wait()
