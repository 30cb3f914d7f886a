"""The run of several parts, some of them side by side."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Sequence

from tests.parts.declaration import Part
from tests.parts.process import Running, end
from tests.parts.results import Result, prepare, read
from tests.parts.schedule import startable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_parts(parts: Sequence[Part], processors: int) -> list[Result]:
    """Run the parts and return their results, in the order of the declaration."""
    waiting = list(parts)
    running: dict[str, Running] = {}
    results: dict[str, Result] = {}
    try:
        ended: queue.SimpleQueue[Running] = queue.SimpleQueue()
        while waiting or running:
            for part in startable(waiting, [one.part for one in running.values()], processors):
                waiting.remove(part)
                prepare(part)
                running[part.name] = Running(part, max(len(one.name) for one in parts))
                running[part.name].announce(ended.put)
            part, result = _finish(ended.get())
            del running[part.name]
            results[part.name] = result
            if part.first and result.status:
                waiting.clear()
    finally:
        _ignore_signals(running)
        end(running.values())
    return [results.get(part.name, Result(part.name, None)) for part in parts]


def _finish(one: Running) -> tuple[Part, Result]:
    seconds = time.monotonic() - one.began
    return one.part, read(one.part, one.status, seconds, list(one.output))


def _ignore_signals(running: dict[str, Running]) -> None:
    """Ignore a second Ctrl-C while parts are ended: it would leave guests behind."""
    if running:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
