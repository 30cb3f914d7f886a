"""Repeated queries of a store: at once after a change, and regularly without one."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from ..errors import SourceUnavailable
from ..system.net.first_answer import Bell
from ..values.deadline import Deadline
from . import query_store
from .gate import Answer, LeaderPolicy, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import Store

_PAUSE = 0.5  # seconds after a failed query, or while changes cannot be watched
_GAP = 0.1  # seconds at least between two queries: a key may change all the time


def follow(
    store: Store, policy: LeaderPolicy, bell: Bell, interval: float = inf
) -> Iterator[Answer]:
    """Yield every answer of the store, until ``bell`` is stopped; occupies its thread.

    An answer arrives at least every ``policy.answer_max_age`` seconds, changed or not: each proves
    that the store can be reached.  While no node leads, answers arrive faster, within
    ``policy.no_leader_max_age``.  No wait for a change lasts longer than ``interval`` seconds.
    """
    while not bell.is_stopped():
        gap = Deadline.after(_GAP)
        answer = query_store(store, Deadline.after(policy.timeout), bell)
        if bell.is_stopped():
            return
        yield answer
        _wait_for_change(store, min(interval, _choose_pause(answer.leadership.state, policy)), bell)
        bell.wait(gap.remaining())


def _wait_for_change(store: Store, seconds: float, bell: Bell) -> None:
    """Wait for a change, or for a short time if changes cannot be watched."""
    try:
        store.wait(Deadline.after(seconds), bell)
    except SourceUnavailable:
        bell.wait(min(seconds, _PAUSE))


def _choose_pause(state: State, policy: LeaderPolicy) -> float:
    """Return the seconds to wait for a change before the next query."""
    if state is State.NO_LEADER:
        return min(policy.refresh, policy.no_leader_max_age / 4)
    return _PAUSE if state in (State.UNKNOWN, State.STOPPED) else policy.refresh
