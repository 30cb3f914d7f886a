"""The run of several parts, some of them side by side."""

from __future__ import annotations

import contextlib
import queue
import signal
import time
from collections.abc import Sequence
from typing import Union

from tests.parts.declaration import Part
from tests.parts.process import Running, end
from tests.parts.results import Result, prepare, read
from tests.parts.schedule import startable

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

WAIT = 0.5  # seconds

Event = Union[Running, int]
"""A part that has ended, or the number of a signal."""

Events = queue.SimpleQueue  # its put() may be called by a signal handler


def listen() -> Events[Event]:
    """Return a queue for events, in which signals arrive from now on.

    A handler that raised an exception could do so after a part was started and before that was
    recorded: nothing would end the part.
    """
    events: Events[Event] = Events()
    for number in SIGNALS:
        signal.signal(number, lambda number, _frame: events.put(number))
    return events


def run_parts(parts: Sequence[Part], processors: int, events: Events[Event]) -> list[Result]:
    """Run the parts and return their results, in the order of the declaration.

    SystemExit if a signal arrives; all parts have ended then.
    """
    waiting = list(parts)
    running: dict[str, Running] = {}
    results: dict[str, Result] = {}
    width = max(len(part.name) for part in parts)
    try:
        while waiting or running:
            for part in startable(waiting, [one.part for one in running.values()], processors):
                waiting.remove(part)
                prepare(part)
                running[part.name] = Running(part, width)
                running[part.name].announce(events.put)
            ended = _next(events)
            part = running.pop(ended.part.name).part
            results[part.name] = result = _result(ended)
            if part.first and result.status:
                waiting.clear()
    finally:
        end(running.values())
    return [results.get(part.name, Result(part.name, None)) for part in parts]


def _next(events: Events[Event]) -> Running:
    """Wait for a part to end. A signal just before a wait is handled only when the wait is over."""
    while True:
        with contextlib.suppress(queue.Empty):
            event = events.get(timeout=WAIT)
            if isinstance(event, Running):
                return event
            raise SystemExit(128 + event)


def _result(ended: Running) -> Result:
    seconds = time.monotonic() - ended.began
    return read(ended.part, ended.status, seconds, list(ended.output))
