"""The decision whether this node has the address.  Pure: no store, no clock.

The invariant: the agents and daemons never put the address on two nodes at a time.  A node has it
only while the store's answers allow that, and each answer is valid for a limited time.  An answer
that names this node is valid for ``grace`` seconds after its question, if no later answer comes.
An answer without a leader is valid for ``vigil`` seconds, because any node may be next.  A node
that is to take the address waits ``settle`` seconds after the first answer that names it.  So at
most one node has the address, under two conditions:

- After a named node falls silent, the store names no other node within ``grace`` plus the time of a
  release.  That requires a longer lease, such as Patroni's ``ttl`` less its ``loop_wait``.
- A node that loses the leadership in any other way learns of it within ``vigil``.  ``settle`` is at
  least ``vigil`` plus the time of a release.

A store that runs on this node and gives no lease may be silent for ``silence`` seconds only.  A
longer grace does not extend that.  If that store is not running, its last answer is void at once.

An agent that queries only once per interval learns everything an interval later.  Its ``settle``
and the lease have to be longer by that interval.  Without a lease, ``settle`` must be longer than
``grace``.  ``Unreachable.KEEP`` gives up the invariant: the address may be on two nodes, but it is
not lost.  Times are seconds of this node's monotonic clock.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from ..values.light_typing import NamedTuple


class State(Enum):
    """The state that a store's answer gives to this node; ignorance is a state of its own."""

    LEADER = "leader"
    """The store names this node."""
    FOLLOWER = "follower"
    """The store names another node, or reports that this node does not lead."""
    NO_LEADER = "no leader"
    """The store names no node."""
    STOPPED = "stopped"
    """The store of this node is not running, so it holds no lease for this node any more."""
    UNKNOWN = "unknown"
    """The store did not answer."""


class Leadership(NamedTuple):
    """A state with its reason for the operator, and ``leader`` if it is known."""

    state: State
    reason: str
    leader: str | None = None


class Answer(NamedTuple):
    """A leadership that held at some moment after ``asked`` and is known since ``heard``."""

    leadership: Leadership
    asked: float
    heard: float


class Unreachable(Enum):
    """The fate of the address when the store stays silent for longer than the grace."""

    KEEP = "keep"
    RELEASE = "release"


class Policy(NamedTuple):
    """The periods for which each answer of the store is valid; all in seconds."""

    grace: float = 10.0
    """Seconds for which the address stays after the store last named this node (``dcs_grace``)."""
    unreachable: Unreachable = Unreachable.RELEASE
    """The parameter ``on_dcs_unreachable``."""
    settle: float = 1.0
    """Seconds for which the store must have named this node before the node takes the address."""

    silence: float = inf
    """Seconds for which a store may be silent; fewer than the grace if silence can mean its end."""

    @property
    def patience(self) -> float:
        """Return the seconds for which the address stays while the store does not answer."""
        return min(self.grace, self.silence)

    @property
    def refresh(self) -> float:
        """Return the seconds between queries without news; a grace has room for several queries."""
        return min(max(self.patience / 4, 0.5), 5.0)

    @property
    def timeout(self) -> float:
        """Return the seconds that one query may take."""
        return min(max(self.patience / 4, 1.0), 5.0)

    @property
    def contact(self) -> float:
        """Return the maximum age of the latest answer while all queries succeed."""
        return self.refresh + self.timeout

    @property
    def vigil(self) -> float:
        """Return the maximum age of an answer without a leader for which the address stays."""
        return max(self.settle / 2, 0.5)


class Standing(NamedTuple):
    """The history of the store's answers, as far as this node needs it."""

    latest: Answer | None = None
    word: State | None = None
    """The state in the last answer that was not UNKNOWN."""
    named: float | None = None
    """The time since which the store has named this node, without any other answer."""
    confirmed: float | None = None
    """The time of the last query that was answered with this node's name.

    None once another node leads.
    """


class Decision(NamedTuple):
    """The decision on the address of this node, with the reason."""

    hold: bool
    reason: str
    degraded: bool = False
    """True if the store does not name this node or does not answer: a case for the operator."""
    not_before: float | None = None
    """The earliest time at which this node may take the address, if it does not have it yet."""
    asked: float | None = None
    """The time of the query that was answered with this node's name.

    None if the address stays for another reason.
    """
    review: float | None = None
    """The time of the next decision if no answer comes until then; None for no need."""


def heard(standing: Standing, answer: Answer, policy: Policy) -> Standing:
    """Return the history with one more answer."""
    state = answer.leadership.state
    if state is State.UNKNOWN:
        return standing._replace(latest=answer, named=None)
    if state is State.LEADER:
        # Another node may have led between two answers that are far apart.
        still = current(standing, answer.asked, policy)[0] is State.LEADER
        named = standing.named if still else None
        return Standing(answer, state, answer.heard if named is None else named, answer.asked)
    confirmed = standing.confirmed if state is State.NO_LEADER else None
    return Standing(answer, state, named=None, confirmed=confirmed)


def decide(standing: Standing, *, holding: bool, now: float, policy: Policy) -> Decision:
    """Decide whether this node has the address; ``holding`` is true if it has it now."""
    state, reason = current(standing, now, policy)
    if state in (State.FOLLOWER, State.STOPPED):
        return Decision(False, reason, degraded=state is State.STOPPED)
    if state is State.LEADER and standing.latest is not None:
        not_before = None if holding else (standing.named or 0.0) + policy.settle
        review = standing.latest.asked + policy.contact
        asked = standing.latest.asked
        return Decision(True, reason, not_before=not_before, asked=asked, review=review)
    if not holding:
        return Decision(False, reason, degraded=state is State.UNKNOWN)
    confirmed = standing.confirmed
    if state is State.NO_LEADER:
        until = now if confirmed is None else confirmed + policy.grace
        return _unled(standing, reason, until, now, policy)
    until = now if confirmed is None else confirmed + policy.patience
    return _ignorant(standing, reason, until, now, policy)


def current(standing: Standing, now: float, policy: Policy) -> tuple[State, str]:
    """Return the state that is known now, and its reason; UNKNOWN if the answer is too old."""
    if standing.latest is None:
        return State.UNKNOWN, "the store has not answered yet"
    (state, reason, _), asked, _ = standing.latest
    limits = {State.LEADER: policy.contact, State.NO_LEADER: policy.vigil}
    if state in limits and now - asked >= limits[state]:
        return State.UNKNOWN, f"no answer for {now - asked:.1f} s; the last one was: {reason}"
    return state, reason


def _unled(standing: Standing, reason: str, until: float, now: float, policy: Policy) -> Decision:
    """Keep a held address for the grace: without a leader, this node may lead again in a moment."""
    if now >= until or standing.latest is None:
        return Decision(False, f"{reason}, and the grace of {policy.grace:g} s is over")
    review = min(until, standing.latest.asked + policy.vigil)
    return Decision(True, _kept(reason, until - now), degraded=True, review=review)


def _ignorant(
    standing: Standing, reason: str, until: float, now: float, policy: Policy
) -> Decision:
    """Keep a held address for the patience if the last known state named this node."""
    if standing.word in (State.FOLLOWER, State.NO_LEADER, State.STOPPED):
        return Decision(False, f"{reason}; when it last answered, this node did not lead", True)
    if now < until:
        return Decision(True, _kept(reason, until - now), degraded=True, review=until)
    if policy.unreachable is Unreachable.KEEP:
        return Decision(True, f"{reason}; the address is kept", degraded=True)
    return Decision(False, f"{reason}, and the grace of {policy.patience:g} s is over", True)


def _kept(reason: str, seconds: float) -> str:
    return f"{reason}; the address is kept for {seconds:.1f} s more"
