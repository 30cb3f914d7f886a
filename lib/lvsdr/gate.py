"""Who leads, and whether this node is to have the address.  Pure: no store, no clock.

The invariant: at no time do two nodes have the address by our doing.  A node has it only on the
store's word, and the word counts for a limited time: ``grace`` seconds from when it was asked for
when no answer comes any more, ``vigil`` seconds when nobody leads and everybody may.  A node that
is to take the address waits ``settle`` seconds from when it first heard that it leads.  So there
is never more than one as long as

- the store names nobody else within ``grace`` plus what a release takes, after it has named a node
  that then falls silent: a lease (Patroni's ``ttl`` less its ``loop_wait``) that is longer;
- a node whose leadership ends in any other way hears of it within ``vigil``, and ``settle`` is at
  least that plus what a release takes.

Silence of a store that lives on this node and gives no lease counts for ``silence`` seconds,
however long the grace is; that it is not running ends its word at once.

One that looks only now and then hears of everything an interval later: its ``settle``, and the
lease, are longer by that.  Whose store promises no lease sets ``settle`` to more than ``grace``.
``Unreachable.KEEP`` gives the invariant up, for those who would rather have the address twice than
nowhere.
Times are seconds of this node's monotonic clock.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from .typed import NamedTuple


class State(Enum):
    """What a store says of this node.  Ignorance is a state of its own, never a "no"."""

    LEADER = "leader"
    """It names this node."""
    FOLLOWER = "follower"
    """It names another, or says that this is not the one."""
    NO_LEADER = "no leader"
    """It names nobody."""
    STOPPED = "stopped"
    """It lives on this node and is not running, so it holds no lease for this node any more."""
    UNKNOWN = "unknown"
    """It did not answer."""


class Leadership(NamedTuple):
    """A state and, in words for the operator, why; ``leader`` where it is known."""

    state: State
    reason: str
    leader: str | None = None


class Answer(NamedTuple):
    """What was true at some moment after ``asked``, and is known since ``heard``."""

    leadership: Leadership
    asked: float
    heard: float


class Unreachable(Enum):
    """What becomes of the address when the store stays silent for longer than the grace."""

    KEEP = "keep"
    RELEASE = "release"


class Policy(NamedTuple):
    """How long which word counts; all in seconds."""

    grace: float = 10.0
    """How long the address stays after the store last named this node (``dcs_grace``)."""
    unreachable: Unreachable = Unreachable.RELEASE
    """``on_dcs_unreachable``"""
    settle: float = 1.0
    """How long this node must have been the leader before it has the address."""

    silence: float = inf
    """How long a store may be silent: less than the grace where silence can mean its end."""

    @property
    def patience(self) -> float:
        """How long the address stays on ignorance."""
        return min(self.grace, self.silence)

    @property
    def refresh(self) -> float:
        """How long to wait for a change before asking again: a grace has room for several tries."""
        return min(max(self.patience / 4, 0.5), 5.0)

    @property
    def timeout(self) -> float:
        """How long one question may take."""
        return min(max(self.patience / 4, 1.0), 5.0)

    @property
    def contact(self) -> float:
        """How old the latest answer can be while all goes well."""
        return self.refresh + self.timeout

    @property
    def vigil(self) -> float:
        """How old the word that nobody leads may be for the address to stay."""
        return max(self.settle / 2, 0.5)


class Standing(NamedTuple):
    """All that a node remembers of the store's answers."""

    latest: Answer | None = None
    word: State | None = None
    """What the store said last, when it said something."""
    named: float | None = None
    """Since when it has named this node, with no other answer in between."""
    confirmed: float | None = None
    """When the question was asked that it last answered by naming this node; None once another
    leads."""


class Decision(NamedTuple):
    """Whether this node is to have the address, and why."""

    hold: bool
    reason: str
    degraded: bool = False
    """The store does not name this node, or does not answer: an operator should look."""
    not_before: float | None = None
    """When the address may be on this node at the earliest, if it is not there yet."""
    asked: float | None = None
    """When the question was asked whose answer names this node; None if the address stays for
    another reason."""
    review: float | None = None
    """When to decide again if no answer has come until then; None: no need to."""


def heard(standing: Standing, answer: Answer, policy: Policy) -> Standing:
    """What a node remembers once it has one more answer."""
    state = answer.leadership.state
    if state is State.UNKNOWN:
        return standing._replace(latest=answer, named=None)
    if state is State.LEADER:
        # Between two answers that are far apart another may have led.
        still = current(standing, answer.asked, policy)[0] is State.LEADER
        named = standing.named if still else None
        return Standing(answer, state, answer.heard if named is None else named, answer.asked)
    confirmed = standing.confirmed if state is State.NO_LEADER else None
    return Standing(answer, state, named=None, confirmed=confirmed)


def decide(standing: Standing, *, holding: bool, now: float, policy: Policy) -> Decision:
    """Whether the node is to have the address; ``holding`` says whether it has it now."""
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
    """Return what is known now, and why; an answer that is too old is none."""
    if standing.latest is None:
        return State.UNKNOWN, "the store has not answered yet"
    (state, reason, _), asked, _ = standing.latest
    limits = {State.LEADER: policy.contact, State.NO_LEADER: policy.vigil}
    if state in limits and now - asked >= limits[state]:
        return State.UNKNOWN, f"no answer for {now - asked:.1f} s; the last one was: {reason}"
    return state, reason


def _unled(standing: Standing, reason: str, until: float, now: float, policy: Policy) -> Decision:
    """Nobody leads: perhaps it is this node again in a moment."""
    if now >= until or standing.latest is None:
        return Decision(False, f"{reason}, and the grace of {policy.grace:g} s is over")
    review = min(until, standing.latest.asked + policy.vigil)
    return Decision(True, _kept(reason, until - now), degraded=True, review=review)


def _ignorant(
    standing: Standing, reason: str, until: float, now: float, policy: Policy
) -> Decision:
    """Nothing is known: what the store said last counts for a while, if it named this node."""
    if standing.word in (State.FOLLOWER, State.NO_LEADER, State.STOPPED):
        return Decision(False, f"{reason}; when it last answered, this node did not lead", True)
    if now < until:
        return Decision(True, _kept(reason, until - now), degraded=True, review=until)
    if policy.unreachable is Unreachable.KEEP:
        return Decision(True, f"{reason}; the address is kept", degraded=True)
    return Decision(False, f"{reason}, and the grace of {policy.patience:g} s is over", True)


def _kept(reason: str, seconds: float) -> str:
    return f"{reason}; the address is kept for {seconds:.1f} s more"
