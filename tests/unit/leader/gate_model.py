"""Model of two nodes, a store and all that can happen to them, one second at a time.

The nodes decide with the real policy. Every other choice is open: each alternative is followed.
``overlap`` walks through every reachable state and so proves, or refutes, that two nodes never have
the address together.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple, Optional

from lvsdr.leader.gate import (
    Answer,
    LeaderHistory,
    LeaderPolicy,
    Leadership,
    State,
    decide,
    record_answer,
)

NODES = (0, 1)
OTHER = 2  # a leader that is neither of the two nodes
UP = 99  # state of an address; a smaller number: seconds until it is gone
SAID = (State.LEADER, State.FOLLOWER, State.NO_LEADER, State.UNKNOWN, None)
Leader = Optional[int]


class Rules(NamedTuple):
    """Promises of the store and the nodes, in seconds."""

    policy: LeaderPolicy
    release: int = 1
    """Time until a released address is gone."""
    lease: int | None = None
    """Time the store waits for a leader that is cut off; None: it names any node at any time."""
    renewal: int = 2
    """Longest time between two renewals of a leader's lease."""


class Node(NamedTuple):
    standing: LeaderHistory = LeaderHistory()
    address: int = 0
    skipped: bool = False
    """True if the node is in contact but has sent no query within the last second."""


class World(NamedTuple):
    """A state of the whole model.

    ``nodes`` are numbers that ``Model`` has given out, because small values are compared quickly.
    """

    nodes: tuple[int, int] = (0, 0)
    leader: Leader = None
    left: int = 0
    """Seconds until the lease ends."""
    age: int = 0
    """Seconds since the last renewal of the lease."""
    witness: Leader = None
    """A node that gave its leadership away and has not learnt of it yet: it stays in contact."""


class Model:
    """The states that can follow a state under these rules."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.known = [Node()]
        self._numbers = {Node(): 0}
        self._cached = functools.cache(self._options)

    def overlap(self, limit: int = 200_000) -> World | None:
        """Return a reachable state in which both nodes have the address; None if there is none."""
        seen, new = {World()}, [World()]
        while new:
            for world in self.followers(new.pop()):
                if world not in seen:
                    if all(self.known[number].address for number in world.nodes):
                        return world
                    seen.add(world)
                    new.append(world)
            assert len(seen) < limit, "the model is too big to be walked through"
        assert len(seen) > 1000, "nothing happens in this model"
        return None

    def followers(self, world: World) -> Iterator[World]:
        """Yield every state that can be next."""
        for linked in itertools.product((False, True), repeat=len(NODES)):
            if world.witness is not None and not linked[world.witness]:
                continue
            for leader, left, age, witness in _stores(world, linked, self.rules):
                choices = [
                    self._cached(world.nodes[index], linked[index], _said(leader, index))
                    for index in NODES
                ]
                for nodes in itertools.product(choices[0], choices[1]):
                    known = witness is not None and not self.known[nodes[witness]].skipped
                    yield World(nodes, leader, left, age, None if known else witness)

    def _options(self, number: int, linked: bool, said: State) -> list[int]:
        """Return the possible next states of a node; in contact it misses a second at the most."""
        node = self.known[number]
        found = [self._next(node, said if linked else State.UNKNOWN, False)]
        if not linked or not node.skipped:
            found.append(self._next(node, None, linked))
        return list(dict.fromkeys(found))

    def _next(self, node: Node, said: State | None, skipped: bool) -> int:
        """Return the number of the node's state a second later.

        `said` is the store's answer, None without one. Now is always second 0.
        """
        policy = self.rules.policy
        standing = _older(node.standing, policy)
        if said is not None:
            standing = record_answer(standing, Answer(Leadership(said, ""), 0.0, 0.0), policy)
        after = Node(standing, self._address(node.address, standing), skipped)
        number = self._numbers.setdefault(after, len(self.known))
        if number == len(self.known):
            self.known.append(after)
        return number

    def _address(self, address: int, standing: LeaderHistory) -> int:
        if 0 < address < UP:
            return address - 1
        wanted = decide(standing, holding=address == UP, now=0.0, policy=self.rules.policy)
        if address:
            return UP if wanted.hold else self.rules.release
        return UP if wanted.hold and (wanted.not_before or 0.0) <= 0.0 else 0


def _stores(
    world: World, linked: tuple[bool, ...], rules: Rules
) -> Iterator[tuple[Leader, int, int, Leader]]:
    """Yield each leadership possible before the next query: leader, seconds left, age, witness."""
    _, leader, left, age, witness = world
    free: list[Leader] = [None, OTHER, *(index for index in NODES if linked[index])]
    if rules.lease is None:
        yield from ((chosen, 0, 0, None) for chosen in dict.fromkeys([*free, leader]))
    elif leader is None or leader == OTHER or (left <= 1 and not linked[leader]):
        yield from ((chosen, rules.lease, 0, witness) for chosen in free)
    elif not linked[leader]:
        yield leader, left - 1, age + 1, witness
    else:
        if age + 1 < rules.renewal:
            yield leader, left - 1, age + 1, witness
        yield leader, rules.lease, 0, witness
        yield from ((chosen, rules.lease, 0, leader) for chosen in free if chosen != leader)


def _said(leader: Leader, index: int) -> State:
    if leader is None:
        return State.NO_LEADER
    return State.LEADER if leader == index else State.FOLLOWER


def _older(standing: LeaderHistory, policy: LeaderPolicy) -> LeaderHistory:
    """Return the standing a second later.

    All times that are older than every limit get the same age.
    """
    oldest = -(max(policy.grace, policy.answer_max_age, policy.settle) + 1.0)

    def older(time: float | None) -> float | None:
        return None if time is None else max(time - 1.0, oldest)

    latest = standing.latest
    if latest is not None:
        latest = latest._replace(queried_at=older(latest.queried_at) or 0.0, answered_at=0.0)
    return standing._replace(
        latest=latest,
        leading_since=older(standing.leading_since),
        confirmed_at=older(standing.confirmed_at),
    )
