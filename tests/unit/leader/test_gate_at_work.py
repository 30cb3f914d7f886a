"""Three nodes with the default policy, in time that is not divided into seconds, for two minutes.

Patroni's defaults apply: a lease of 30 s, renewed every 10 s. An answer takes its time, and reports
a state that was true at some moment of it.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from lvsdr.leader.gate import (
    Answer,
    LeaderHistory,
    LeaderPolicy,
    Leadership,
    State,
    decide,
    record_answer,
)

STEP = 0.1
LEASE, RENEWAL = 30.0, 10.0
ANSWER, NEWS, RELEASE = 0.3, 0.1, 0.4  # the longest time of each, in seconds
POLICY = LeaderPolicy()
END = 120.0


class Store:
    """A store that names a leader for as long as the leader renews its lease."""

    def __init__(self, dice: random.Random) -> None:
        self.leader: int | None = None
        self.changed = 0.0
        self._dice = dice
        self._renewed = self._renewal = self._elected = 0.0

    def name(self, leader: int | None, now: float) -> None:
        self.leader, self.changed = leader, now
        self._elected = now + self._dice.uniform(0, 3)
        self._renew(now)

    def _renew(self, now: float) -> None:
        self._renewed, self._renewal = now, now + self._dice.uniform(0, RENEWAL)

    def live(self, now: float, linked: list[int]) -> None:
        if self.leader in linked and now >= self._renewal:
            self._renew(now)
        if self.leader is not None and now - self._renewed >= LEASE:
            self.name(None, now)
        if self.leader is None and linked and now >= self._elected:
            self.name(self._dice.choice(linked), now)


class Node:
    """A node that queries, waits for the answer, decides, and has the address or not."""

    def __init__(self, number: int, store: Store, dice: random.Random) -> None:
        self.number, self.linked, self.up = number, True, False
        self.standing = LeaderHistory()
        self._store, self._dice = store, dice
        self._asked: float | None = None
        self._truth: State | None = None
        self._moment = self._due = self._gone = self._next = self._news = 0.0

    def live(self, now: float) -> None:
        if self._asked is None:
            self._ask(now)
        else:
            self._listen(now)
        self._act(now)

    def knows(self, since: float) -> bool:
        """Return whether the latest answer belongs to a query made since then."""
        latest = self.standing.latest
        return latest is not None and latest.queried_at >= since

    def _ask(self, now: float) -> None:
        if self.linked and self._store.changed > self._news:
            self._news = self._store.changed
            self._next = min(self._next, now + self._dice.uniform(0, NEWS))
        if now >= self._next:
            delay = self._dice.uniform(0, ANSWER)
            self._asked, self._truth = now, None
            self._moment, self._due = now + delay * self._dice.random(), now + delay

    def _listen(self, now: float) -> None:
        if self.linked and self._truth is None and now >= self._moment:
            leader = self._store.leader
            known = State.FOLLOWER if leader is not None else State.NO_LEADER
            self._truth = State.LEADER if leader == self.number else known
        assert self._asked is not None
        if self.linked and self._truth is not None and now >= self._due:
            self._hear(self._truth, now)
        elif now >= self._asked + POLICY.timeout:
            self._hear(State.UNKNOWN, now)

    def _hear(self, state: State, now: float) -> None:
        asked = self._asked or 0.0
        self.standing = record_answer(
            self.standing, Answer(Leadership(state, ""), asked, now), POLICY
        )
        wait = POLICY.no_leader_max_age / 4 if state is State.NO_LEADER else POLICY.refresh
        self._asked, self._next = None, now + wait * self._dice.random()

    def _act(self, now: float) -> None:
        if self._gone:
            if now >= self._gone:
                self.up, self._gone = False, 0.0
            return
        decision = decide(self.standing, holding=self.up, now=now, policy=POLICY)
        if self.up and not decision.hold:
            self._gone = now + self._dice.uniform(0, RELEASE)
        elif decision.hold and now >= (decision.not_before or 0.0):
            self.up = True


Event = tuple[float, str, int]
EVENTS = st.lists(
    st.tuples(
        st.floats(0, END - 60, allow_nan=False),
        st.sampled_from(["cut", "cut", "mend", "hand over"]),
        st.integers(0, 2),
    ),
    max_size=12,
)


def played(events: list[Event], seed: int) -> list[Node]:
    """Return the leader at the end, as a list; fail if two nodes have the address at any time."""
    dice = random.Random(seed)
    store = Store(dice)
    nodes = [Node(number, store, dice) for number in range(3)]
    waiting = sorted(events)
    for step in range(int(END / STEP)):
        now = 1.0 + step * STEP
        while waiting and waiting[0][0] <= now:
            happen(waiting.pop(0), now, store, nodes)
        if now > END - 60:
            for node in nodes:
                node.linked = True
        store.live(now, [node.number for node in nodes if node.linked])
        for node in nodes:
            node.live(now)
        assert sum(node.up for node in nodes) <= 1, f"two at {now:.2f} s"
    return [node for node in nodes if node.number == store.leader]


def happen(event: Event, now: float, store: Store, nodes: list[Node]) -> None:
    """Pull or plug a cable, or let a leader step down.

    A node keeps its contact until it has learnt of the latest change of leader.
    """
    _, what, number = event
    node = nodes[number]
    if what == "cut":
        node.linked = not node.knows(store.changed)
    elif what == "mend":
        node.linked = True
    elif store.leader == number and node.linked:
        others = [each.number for each in nodes if each.linked and each is not node]
        store.name(random.Random(now).choice([None, *others]), now)


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.integers(0, 2**32))
def test_never_two_holders_and_finally_the_leader(events: list[Event], seed: int) -> None:
    leaders = played(events, seed)
    assert [leader.up for leader in leaders] == [True]
