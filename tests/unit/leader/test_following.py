"""Endless queries: at once after a change, and in time without one."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence

import pytest
from lvsdr.errors import NotInstalled, SourceUnavailable
from lvsdr.leader.following import follow
from lvsdr.leader.gate import Answer, LeaderPolicy, Leadership, State
from lvsdr.system.net.first_answer import Bell
from lvsdr.values.deadline import Deadline

pytestmark = pytest.mark.slow  # most of these tests wait

PATIENCE = 20.0
SLOW = LeaderPolicy(grace=3600.0)
QUICK = LeaderPolicy(grace=0.0)


class Script:
    """A store that gives these answers, the last one for ever.

    `waits` is true if the store can wait for a change.
    """

    def __init__(self, states: Sequence[State], waits: bool = True) -> None:
        self.looks = 0
        self.patience: list[float] = []
        self._states, self._waits = states, waits
        self._rung = threading.Event()

    def look(self, _deadline: Deadline, _bell: Bell) -> Answer:
        state = self._states[min(self.looks, len(self._states) - 1)]
        self.looks += 1
        if state is State.UNKNOWN:
            raise SourceUnavailable("silent")
        now = time.monotonic()
        return Answer(Leadership(state, "scripted"), now, now)

    def wait(self, deadline: Deadline, bell: Bell) -> None:
        self.patience.append(deadline.remaining())
        if not self._waits:
            raise SourceUnavailable("cannot be watched")
        bell.wait(deadline.remaining(), self._rung.is_set)
        self._rung.clear()

    def ring(self, bell: Bell) -> None:
        self._rung.set()
        bell.ring()


def taken(store: Script, policy: LeaderPolicy, number: int) -> list[State]:
    """Return the states of the first answers."""
    followed = follow(store, policy, Bell())
    return [answer.leadership.state for answer in itertools.islice(followed, number)]


def test_every_answer_is_yielded() -> None:
    """Every answer is passed on, even an equal one: it proves that the store can be reached."""
    states = [State.LEADER, State.LEADER, State.UNKNOWN, State.FOLLOWER, State.NO_LEADER]
    assert taken(Script(states), QUICK, 6) == [*states, State.NO_LEADER]


def test_a_change_causes_a_query_at_once() -> None:
    store, bell = Script([State.LEADER, State.FOLLOWER]), Bell()
    followed = follow(store, SLOW, bell)
    assert next(followed).leadership.state is State.LEADER
    threading.Timer(0.1, store.ring, [bell]).start()
    assert next(followed).leadership.state is State.FOLLOWER
    assert store.patience[0] > 1


@pytest.mark.parametrize(
    ("state", "policy", "most"),
    [
        (State.LEADER, LeaderPolicy(grace=10.0), 2.5),
        (State.FOLLOWER, LeaderPolicy(grace=4.0), 1.0),
        (State.NO_LEADER, LeaderPolicy(grace=10.0, settle=1.0), 0.125),
    ],
)
def test_the_wait_for_a_change_is_short_enough(
    state: State, policy: LeaderPolicy, most: float
) -> None:
    store = Script([state])
    taken(store, policy, 2)
    assert most * 0.5 < store.patience[0] <= most


def test_a_store_without_watches_is_queried_regularly() -> None:
    assert taken(Script([State.LEADER], waits=False), SLOW, 3) == [State.LEADER] * 3


def test_a_silent_store_is_queried_again() -> None:
    assert taken(Script([State.UNKNOWN] * 3 + [State.LEADER]), SLOW, 4)[-1] is State.LEADER


@pytest.mark.parametrize("state", State)
def test_a_stop_ends_the_queries_at_once(state: State) -> None:
    store, bell = Script([state]), Bell()
    followed = follow(store, SLOW, bell)
    next(followed)
    threading.Timer(0.1, bell.stop).start()
    assert list(followed) == []


def test_a_stopped_bell_permits_no_query() -> None:
    bell = Bell()
    bell.stop()
    assert list(follow(Script([State.LEADER]), SLOW, bell)) == []


def test_a_node_without_the_required_module_raises() -> None:
    class Lacking(Script):
        def look(self, _deadline: Deadline, _bell: Bell) -> Answer:
            raise NotInstalled("urllib3")

    with pytest.raises(NotInstalled):
        next(follow(Lacking([]), SLOW, Bell()))


def test_no_wait_exceeds_the_interval() -> None:
    store = Script([State.LEADER, State.FOLLOWER, State.LEADER])
    followed = follow(store, SLOW, Bell(), 0.2)
    assert len(list(itertools.islice(followed, 3))) == 3
    assert max(store.patience) <= 0.2
