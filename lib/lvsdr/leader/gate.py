"""The decision whether this node has the address.  Pure: no store, no clock.

The invariant: the agents and daemons never put the address on two nodes at a time.  A node has it
only while the store's answers allow that, and each answer is valid for a limited time.  An answer
that names this node is valid for ``grace`` seconds after its question, if no later answer comes.
An answer without a leader is valid for ``no_leader_max_age`` seconds, because any node may be next.
A node that is to take the address waits ``settle`` seconds after the first answer that names it.
So at most one node has the address, under two conditions:

- After a named node falls silent, the store names no other node within ``grace`` plus the time of a
  release.  That requires a longer lease, such as Patroni's ``ttl`` less its ``loop_wait``.
- A node that loses the leadership in any other way learns of it within ``no_leader_max_age``.
  ``settle`` is at least ``no_leader_max_age`` plus the time of a release.

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
    """A leadership that held at some moment after ``queried_at``, known since ``answered_at``."""

    leadership: Leadership
    queried_at: float
    answered_at: float


class Unreachable(Enum):
    """The fate of the address when the store stays silent for longer than the grace."""

    KEEP = "keep"
    RELEASE = "release"


class LeaderPolicy(NamedTuple):
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
    def answer_max_age(self) -> float:
        """Return the maximum age of the latest answer while all queries succeed."""
        return self.refresh + self.timeout

    @property
    def no_leader_max_age(self) -> float:
        """Return the maximum age of an answer without a leader for which the address stays."""
        return max(self.settle / 2, 0.5)


class LeaderHistory(NamedTuple):
    """The history of the store's answers, as far as this node needs it."""

    latest: Answer | None = None
    last_state: State | None = None
    """The state in the last answer that was not UNKNOWN."""
    leading_since: float | None = None
    """The time since which the store has named this node, without any other answer."""
    confirmed_at: float | None = None
    """The time of the last query that was answered with this node's name.

    None once another node leads.
    """


class HoldDecision(NamedTuple):
    """The decision on the address of this node, with the reason."""

    hold: bool
    reason: str
    degraded: bool = False
    """True if the store does not name this node or does not answer: a case for the operator."""
    not_before: float | None = None
    """The earliest time at which this node may take the address, if it does not have it yet."""
    confirmed_at: float | None = None
    """The time of the query that was answered with this node's name.

    None if the address stays for another reason.
    """
    review: float | None = None
    """The time of the next decision if no answer comes until then; None for no need."""


def resume_history(confirmed_at: float | None) -> LeaderHistory:
    """Return the history of a node of which only the last confirmation is known, if any."""
    return LeaderHistory(
        last_state=None if confirmed_at is None else State.LEADER, confirmed_at=confirmed_at
    )


def record_answer(history: LeaderHistory, answer: Answer, policy: LeaderPolicy) -> LeaderHistory:
    """Return the history with one more answer."""
    state = answer.leadership.state
    if state is State.UNKNOWN:
        return history._replace(latest=answer, leading_since=None)
    if state is State.LEADER:
        # Another node may have led between two answers that are far apart.
        still_leads = assess_state(history, answer.queried_at, policy)[0] is State.LEADER
        leading_since = history.leading_since if still_leads else None
        if leading_since is None:
            leading_since = answer.answered_at
        return LeaderHistory(answer, state, leading_since, confirmed_at=answer.queried_at)
    confirmed_at = history.confirmed_at if state is State.NO_LEADER else None
    return LeaderHistory(answer, state, leading_since=None, confirmed_at=confirmed_at)


def decide(
    history: LeaderHistory, *, holding: bool, now: float, policy: LeaderPolicy
) -> HoldDecision:
    """Decide whether this node has the address; ``holding`` is true if it has it now."""
    state, reason = assess_state(history, now, policy)
    if state in (State.FOLLOWER, State.STOPPED):
        return HoldDecision(False, reason, degraded=state is State.STOPPED)
    if state is State.LEADER and history.latest is not None:
        not_before = None if holding else (history.leading_since or 0.0) + policy.settle
        review = history.latest.queried_at + policy.answer_max_age
        queried_at = history.latest.queried_at
        return HoldDecision(True, reason, False, not_before, confirmed_at=queried_at, review=review)
    if not holding:
        return HoldDecision(False, reason, degraded=state is State.UNKNOWN)
    confirmed_at = history.confirmed_at
    if state is State.NO_LEADER:
        until = now if confirmed_at is None else confirmed_at + policy.grace
        return _decide_without_leader(history, reason, until, now, policy)
    until = now if confirmed_at is None else confirmed_at + policy.patience
    return _decide_without_answer(history, reason, until, now, policy)


def assess_state(history: LeaderHistory, now: float, policy: LeaderPolicy) -> tuple[State, str]:
    """Return the state that is known now, and its reason; UNKNOWN if the answer is too old."""
    if history.latest is None:
        return State.UNKNOWN, "the store has not answered yet"
    (state, reason, _), queried_at, _ = history.latest
    limits = {State.LEADER: policy.answer_max_age, State.NO_LEADER: policy.no_leader_max_age}
    if state in limits and now - queried_at >= limits[state]:
        return State.UNKNOWN, f"no answer for {now - queried_at:.1f} s; the last one was: {reason}"
    return state, reason


def _decide_without_leader(
    history: LeaderHistory, reason: str, until: float, now: float, policy: LeaderPolicy
) -> HoldDecision:
    """Keep a held address for the grace: without a leader, this node may lead again in a moment."""
    if now >= until or history.latest is None:
        return HoldDecision(False, f"{reason}, and the grace of {policy.grace:g} s is over")
    review = min(until, history.latest.queried_at + policy.no_leader_max_age)
    return HoldDecision(True, _format_grace(reason, until - now), degraded=True, review=review)


def _decide_without_answer(
    history: LeaderHistory, reason: str, until: float, now: float, policy: LeaderPolicy
) -> HoldDecision:
    """Keep a held address for the patience if the last known state named this node."""
    if history.last_state in (State.FOLLOWER, State.NO_LEADER, State.STOPPED):
        return HoldDecision(False, f"{reason}; when it last answered, this node did not lead", True)
    if now < until:
        return HoldDecision(True, _format_grace(reason, until - now), degraded=True, review=until)
    if policy.unreachable is Unreachable.KEEP:
        return HoldDecision(True, f"{reason}; the address is kept", degraded=True)
    return HoldDecision(False, f"{reason}, and the grace of {policy.patience:g} s is over", True)


def _format_grace(reason: str, seconds: float) -> str:
    return f"{reason}; the address is kept for {seconds:.1f} s more"
