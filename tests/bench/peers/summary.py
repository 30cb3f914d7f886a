"""The effects of a fault in figures, from the results of all connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tests.bench.peers.attempts import Attempt
from tests.bench.peers.wire import PATIENCE
from tests.lab.client import State

VICTIM = "node3"
QUIET = PATIENCE + 7.0  # seconds without a failed connection until the fault counts as handled
SHARE = 1 / 6  # half of the share of one of three servers
SLOW = 1.0  # seconds: a connection that waited as long was delayed


def is_failed(attempt: Attempt) -> bool:
    """Return whether no server answered."""
    return bool(attempt.error)


def is_misdirected(attempt: Attempt) -> bool:
    """Return whether the connection failed, or landed on the server that is no standby any more."""
    return bool(attempt.error) or attempt.server == VICTIM


class Reaction(NamedTuple):
    """The effects of a fault.

    A connection is wrong if it failed, or after a promotion if it was misdirected. `last` is the
    time from the fault to the begin of the last wrong connection, in seconds, and None if there was
    none. `unnoticed` is true if the faulty server still got its share at the end. `delayed`
    counts connections that succeeded after a second or more. `lost` counts lasting sessions on
    healthy servers that broke, and `broken` is the state of those on the faulty one.
    """

    last: float | None
    unnoticed: bool
    connections: int
    wrong: int
    delayed: int
    slowest: float
    lost: int
    broken: str


def summarize(
    attempts: Sequence[Attempt],
    fault: float,
    end: float,
    states: Sequence[tuple[str, State]],
    is_wrong: Callable[[Attempt], bool] = is_failed,
) -> Reaction:
    """Return the reaction, from all connections and from the states of the lasting sessions."""
    # A connection that was open at the moment of the fault belongs to it.
    concerned = [one for one in attempts if one.ended >= fault]
    wrong = [one for one in concerned if is_wrong(one)]
    served = [one.ended - one.began for one in concerned if not one.error]
    last = max((one.began - fault for one in wrong), default=None)
    return Reaction(
        last=None if last is None else max(0.0, last),
        unnoticed=_share([one for one in concerned if one.began > end - QUIET], is_wrong) >= SHARE,
        connections=len(concerned),
        wrong=len(wrong),
        delayed=sum(seconds >= SLOW for seconds in served),
        slowest=max(served, default=0.0),
        lost=sum(server != VICTIM and state is not State.ALIVE for server, state in states),
        broken=_common(state for server, state in states if server == VICTIM),
    )


def is_plausible(reaction: Reaction) -> bool:
    """Return whether the fault explains the wrong connections: its server gets a third of all.

    On a machine that is too busy, connections to healthy servers fail, too.
    """
    return reaction.wrong <= reaction.connections / 2


def _share(attempts: Sequence[Attempt], is_wrong: Callable[[Attempt], bool]) -> float:
    """Return the part of the connections that is wrong."""
    return sum(map(is_wrong, attempts)) / max(1, len(attempts))


def _common(states: Iterator[State]) -> str:
    """Return the most frequent state."""
    counted = Counter(state.value for state in states)
    return counted.most_common(1)[0][0] if counted else ""
