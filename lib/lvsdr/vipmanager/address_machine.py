"""The next step for one address: the daemon reads the state, calls this, acts, and repeats.  Pure.

``gate`` decides whether this node holds the address; this module adds and removes it.  A probe for
another owner on the segment precedes the addition.  While another host has the address, the probe
is repeated for ``takeover`` seconds.  Then the attempt is abandoned.  A new one begins ``retry``
seconds later; with ``force``, the address is added nevertheless.  Times are seconds of this node's
monotonic clock.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from ..address.interfaces import Interface
from ..leader.gate import HoldDecision
from ..values.light_typing import NamedTuple

_AT_ONCE = -inf
_PAUSE = 0.2  # seconds between two probes for the address, plus a random part as long
_SPREAD = 3.0  # the random part after a duplicate: the kernel's detection takes up to 2 s


class Presence(Enum):
    """The state of the address on the interface."""

    ABSENT = "absent"
    TENTATIVE = "tentative"
    """Present, while the kernel still searches for another host with the address."""
    REFUSED = "refused"
    """Present, but the kernel found another host with the address."""
    DIFFERENT = "different"
    """Present with another prefix or other properties."""
    PRESENT = "present"


class Act(Enum):
    """The action to perform; the daemon reads the state again after each but NOTHING and PROBE."""

    NOTHING = "nothing"
    PROBE = "probe"
    """Probe for another owner of the address, in the background."""
    TAKE = "take"
    """Add the address, or give it the wanted properties."""
    FORCE = "force"
    """Do the same, even if another host has the address."""
    ANNOUNCE = "announce"
    REMOVE = "remove"


class AddressState(NamedTuple):
    """The interface, and the presence of the address on it, as the kernel reports them."""

    interface: Interface | None
    presence: Presence

    @property
    def linked(self) -> bool:
        return self.interface is not None and self.interface.carrier


class ProbeResult(NamedTuple):
    """The result of a probe for another owner; both fields are None if the address is free."""

    rival: str | None = None
    """The other owner of the address."""
    problem: str | None = None
    """The reason why a probe was impossible."""
    found_by_kernel: bool = False
    """True if the kernel found the rival, which may have found this host in the same way."""


class TakeoverRules(NamedTuple):
    """The times for takeovers, in seconds, and the policy after them."""

    takeover: float = 5.0
    retry: float = 3.0
    force: bool = False


class Progress(NamedTuple):
    """The stage that the address has reached."""

    held: bool = False
    """True if the address, added or adopted by this daemon, was here at the last check."""
    announced: bool = False
    """True once the address has been announced over the current link."""
    query_after: float | None = None
    """The announcement requires an answer to a query that was sent later than this."""
    attempt_began: float | None = None
    """The start of the attempt to take the address."""
    probing: bool = False
    """True while a probe for another owner runs."""
    probe_result: ProbeResult | None = None
    paused_until: float = 0.0
    """The time before which no further attempt is made."""
    trouble: str = ""
    """The reason why the address is not here, though it should be."""


class Move(NamedTuple):
    """The new progress, the action, and the latest time of the next step (None: no limit)."""

    progress: Progress
    act: Act = Act.NOTHING
    wake: float | None = None


def decide_move(
    progress: Progress,
    state: AddressState,
    decision: HoldDecision,
    now: float,
    rules: TakeoverRules,
    name: str,
    chance: float = 0.0,
) -> Move:
    """Decide the next move.

    ``name`` is the interface's name in the configuration.  ``chance``, from 0 to 1, randomises the
    pauses of hosts that may both have the address.
    """
    if not decision.hold:
        is_absent = state.presence is Presence.ABSENT
        return Move(Progress(), Act.NOTHING if is_absent else Act.REMOVE)
    if state.presence is Presence.PRESENT:
        return _move_while_present(progress, state, decision, now, name)
    if not state.linked:
        return Move(Progress(trouble=find_link_problem(state.interface, name)))
    if state.presence is Presence.TENTATIVE:
        return Move(progress._replace(probing=False, probe_result=None))
    if state.presence is Presence.REFUSED:
        probe_result = ProbeResult(rival="another host", found_by_kernel=True)
        return Move(
            progress._replace(held=False, probing=False, probe_result=probe_result), Act.REMOVE
        )
    if state.presence is Presence.DIFFERENT:
        if now < progress.paused_until:
            return Move(progress, wake=progress.paused_until)
        return Move(progress, Act.TAKE)
    return _move_while_absent(progress, decision, now, rules, chance)


def record_failure(now: float, rules: TakeoverRules, trouble: str) -> Progress:
    """Return the progress after an action that failed."""
    return Progress(paused_until=now + rules.retry, trouble=trouble)


def require_new_answer(progress: Progress, now: float) -> Progress:
    """Return the progress that requires a new answer of the store, and then an announcement."""
    return progress._replace(announced=False, query_after=now)


def find_required_query_start(progress: Progress) -> float | None:
    """Return the time after which a query of the store must start before an announcement."""
    is_waiting = progress.held and not progress.announced and progress.query_after is not None
    return progress.query_after if is_waiting and not progress.trouble else None


def _move_while_present(
    progress: Progress, state: AddressState, decision: HoldDecision, now: float, name: str
) -> Move:
    """Announce the address, unless that would rest on an answer older than the link.

    A host that was cut off may have been replaced meanwhile.  Its announcement would redirect the
    segment's clients away from the new leader.
    """
    if not state.linked:
        return Move(
            Progress(held=True, query_after=now, trouble=find_link_problem(state.interface, name))
        )
    if progress.announced:
        return Move(Progress(held=True, announced=True))
    query_after = now if progress.query_after is None else progress.query_after
    if decision.confirmed_at is None or decision.confirmed_at <= query_after:
        return Move(Progress(held=True, query_after=query_after))
    return Move(Progress(held=True, announced=True), Act.ANNOUNCE)


def _move_while_absent(
    progress: Progress, decision: HoldDecision, now: float, rules: TakeoverRules, chance: float
) -> Move:
    if progress.held and not decision.degraded:
        # It was removed a moment ago.  This node leads, so no other node can have taken it.
        return Move(progress._replace(held=False, announced=False, query_after=_AT_ONCE), Act.TAKE)
    if progress.probing:
        return Move(progress)
    if now < progress.paused_until:
        return Move(progress, wake=progress.paused_until)
    if progress.probe_result is None:
        attempt_began = now if progress.attempt_began is None else progress.attempt_began
        return Move(
            progress._replace(
                attempt_began=attempt_began, probing=True, held=False, announced=False
            ),
            Act.PROBE,
        )
    if progress.probe_result.problem is not None:
        return _wait_until_pause_ends(record_failure(now, rules, progress.probe_result.problem))
    if progress.probe_result.rival is not None:
        spread = _SPREAD if progress.probe_result.found_by_kernel else _PAUSE
        pause = now + _PAUSE + spread * chance
        return _move_while_in_use(progress, progress.probe_result.rival, now, rules, pause)
    if decision.not_before is not None and now < decision.not_before:
        return Move(progress, wake=decision.not_before)
    return Move(progress._replace(probe_result=None, query_after=_AT_ONCE), Act.TAKE)


def _move_while_in_use(
    progress: Progress, rival: str, now: float, rules: TakeoverRules, pause: float
) -> Move:
    """Return the move if another host has the address."""
    if now - (progress.attempt_began or 0.0) < rules.takeover:
        # A later attempt must not change the text, or it would be logged again.
        trouble = progress.trouble if rival in progress.trouble else f"in use by {rival}"
        waiting_progress = progress._replace(probe_result=None, paused_until=pause, trouble=trouble)
        return _wait_until_pause_ends(waiting_progress)
    if rules.force:
        return Move(progress._replace(probe_result=None, query_after=_AT_ONCE), Act.FORCE)
    duration = f"{rules.takeover:g} s"
    return _wait_until_pause_ends(
        record_failure(now, rules, f"still in use by {rival} after {duration}, trying again")
    )


def _wait_until_pause_ends(progress: Progress) -> Move:
    return Move(progress, wake=progress.paused_until)


def find_link_problem(interface: Interface | None, name: str) -> str:
    """Return the reason why no address can work on an interface, or an empty text."""
    if interface is None:
        return f"interface {name} does not exist"
    if interface.carrier:
        return ""
    return f"interface {interface.name} {'has no carrier' if interface.up else 'is down'}"
