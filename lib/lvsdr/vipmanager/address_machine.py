"""The next step for one address.  Pure: the daemon reads the state, calls this, acts, and repeats.

``gate`` decides whether this node holds the address; this module adds and removes it.  A probe for
another owner on the segment precedes the addition.  While another host has the address, the probe
is repeated for ``Rules.takeover`` seconds.  Then the attempt is abandoned, and a new one begins
``Rules.retry`` seconds later; with ``Rules.force``, the address is added nevertheless.  Times are
seconds of this node's monotonic clock.
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
    """The action to perform; the daemon reads the state again after each but NOTHING and ASK."""

    NOTHING = "nothing"
    ASK = "ask"
    """Search for another owner of the address, in the background."""
    TAKE = "take"
    """Add the address, or give it the wanted properties."""
    FORCE = "force"
    """Do the same, even if another host has the address."""
    ANNOUNCE = "announce"
    REMOVE = "remove"


class Sight(NamedTuple):
    """The interface and the address as the kernel reports them."""

    interface: Interface | None
    presence: Presence

    @property
    def linked(self) -> bool:
        return self.interface is not None and self.interface.carrier


class Finding(NamedTuple):
    """The result of a search for another owner; both fields are None if the address is free."""

    rival: str | None = None
    """The other owner of the address."""
    problem: str | None = None
    """The reason why a search was impossible."""
    by_the_kernel: bool = False
    """True if the kernel found the rival, which may have found this host in the same way."""


class Rules(NamedTuple):
    """The times for takeovers, in seconds, and the policy after them."""

    takeover: float = 5.0
    retry: float = 3.0
    force: bool = False


class Progress(NamedTuple):
    """The stage that the address has reached."""

    held: bool = False
    """True if the address, added or adopted by this daemon, was here at the last check."""
    told: bool = False
    """True once the address has been announced over the current link."""
    since: float | None = None
    """The announcement requires an answer to a query that was sent later than this."""
    began: float | None = None
    """The start of the attempt to take the address."""
    asking: bool = False
    finding: Finding | None = None
    pause: float = 0.0
    """The time before which no further attempt is made."""
    trouble: str = ""
    """The reason why the address is not here, though it should be."""


class Move(NamedTuple):
    """The new progress, the action, and the latest time of the next step (None: no limit)."""

    progress: Progress
    act: Act = Act.NOTHING
    wake: float | None = None


def move(
    progress: Progress,
    sight: Sight,
    decision: HoldDecision,
    now: float,
    rules: Rules,
    name: str,
    chance: float = 0.0,
) -> Move:
    """Return the next move.

    ``name`` is the interface's name in the configuration.  ``chance``, from 0 to 1, randomises the
    pauses of hosts that may both have the address.
    """
    if not decision.hold:
        gone = sight.presence is Presence.ABSENT
        return Move(Progress(), Act.NOTHING if gone else Act.REMOVE)
    if sight.presence is Presence.PRESENT:
        return _present(progress, sight, decision, now, name)
    if not sight.linked:
        return Move(Progress(trouble=linkless(sight.interface, name)))
    if sight.presence is Presence.TENTATIVE:
        return Move(progress._replace(asking=False, finding=None))
    if sight.presence is Presence.REFUSED:
        refused = Finding(rival="another host", by_the_kernel=True)
        return Move(progress._replace(held=False, asking=False, finding=refused), Act.REMOVE)
    if sight.presence is Presence.DIFFERENT:
        if now < progress.pause:
            return Move(progress, wake=progress.pause)
        return Move(progress, Act.TAKE)
    return _absent(progress, decision, now, rules, chance)


def failed(now: float, rules: Rules, trouble: str) -> Progress:
    """Return the progress after an action that failed."""
    return Progress(pause=now + rules.retry, trouble=trouble)


def doubted(progress: Progress, now: float) -> Progress:
    """Return the progress of an address that is announced again once the store has confirmed it."""
    return progress._replace(told=False, since=now)


def unproven(progress: Progress) -> float | None:
    """Return the time after which a query of the store must start before an announcement."""
    waiting = progress.held and not progress.told and progress.since is not None
    return progress.since if waiting and not progress.trouble else None


def _present(
    progress: Progress, sight: Sight, decision: HoldDecision, now: float, name: str
) -> Move:
    """Announce the address, unless that would rest on an answer older than the link.

    A host that was cut off may have been replaced meanwhile.  Its announcement would redirect the
    segment's clients away from the new leader.
    """
    if not sight.linked:
        return Move(Progress(held=True, since=now, trouble=linkless(sight.interface, name)))
    if progress.told:
        return Move(Progress(held=True, told=True))
    since = now if progress.since is None else progress.since
    if decision.confirmed_at is None or decision.confirmed_at <= since:
        return Move(Progress(held=True, since=since))
    return Move(Progress(held=True, told=True), Act.ANNOUNCE)


def _absent(
    progress: Progress, decision: HoldDecision, now: float, rules: Rules, chance: float
) -> Move:
    if progress.held and not decision.degraded:
        # It was removed a moment ago.  This node leads, so no other node can have taken it.
        return Move(progress._replace(held=False, told=False, since=_AT_ONCE), Act.TAKE)
    if progress.asking:
        return Move(progress)
    if now < progress.pause:
        return Move(progress, wake=progress.pause)
    if progress.finding is None:
        began = now if progress.began is None else progress.began
        return Move(progress._replace(began=began, asking=True, held=False, told=False), Act.ASK)
    if progress.finding.problem is not None:
        return _again(failed(now, rules, progress.finding.problem))
    if progress.finding.rival is not None:
        spread = _SPREAD if progress.finding.by_the_kernel else _PAUSE
        pause = now + _PAUSE + spread * chance
        return _taken(progress, progress.finding.rival, now, rules, pause)
    if decision.not_before is not None and now < decision.not_before:
        return Move(progress, wake=decision.not_before)
    return Move(progress._replace(finding=None, since=_AT_ONCE), Act.TAKE)


def _taken(progress: Progress, rival: str, now: float, rules: Rules, pause: float) -> Move:
    """Return the move if another host has the address."""
    if now - (progress.began or 0.0) < rules.takeover:
        # A later attempt must not change the text, or it would be logged again.
        trouble = progress.trouble if rival in progress.trouble else f"in use by {rival}"
        later = progress._replace(finding=None, pause=pause, trouble=trouble)
        return _again(later)
    if rules.force:
        return Move(progress._replace(finding=None, since=_AT_ONCE), Act.FORCE)
    patience = f"{rules.takeover:g} s"
    return _again(failed(now, rules, f"still in use by {rival} after {patience}, trying again"))


def _again(progress: Progress) -> Move:
    return Move(progress, wake=progress.pause)


def linkless(interface: Interface | None, name: str) -> str:
    """Return why no address can work on an interface; an empty text if one can."""
    if interface is None:
        return f"interface {name} does not exist"
    if interface.carrier:
        return ""
    return f"interface {interface.name} {'has no carrier' if interface.up else 'is down'}"
