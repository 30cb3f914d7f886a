"""What to do next with one address.  Pure: the daemon looks, asks this, acts, and looks again.

Whether this node is to have the address is decided elsewhere (``gate``); here is how it comes and
goes.  Before it comes, the segment is asked who has it.  While somebody does, the question is asked
again for ``Rules.takeover`` seconds; then the attempt is abandoned, and a new one begins
``Rules.retry`` seconds later, or, with ``Rules.force``, the address is taken all the same.
Times are seconds of this node's monotonic clock.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from ..gate import Decision
from ..interfaces import Interface
from ..typed import NamedTuple

_AT_ONCE = -inf
_PAUSE = 0.2  # seconds between two questions who has the address, and as many by chance
_SPREAD = 3.0  # the same after a duplicate: the kernel looks for one for up to 2 s


class Presence(Enum):
    """How the address is on the interface."""

    ABSENT = "absent"
    TENTATIVE = "tentative"
    """The kernel is still looking for somebody else who has it."""
    REFUSED = "refused"
    """It found somebody."""
    DIFFERENT = "different"
    """There, with another prefix or other properties."""
    PRESENT = "present"


class Act(Enum):
    """What there is to be done; the daemon looks again after each but NOTHING and ASK."""

    NOTHING = "nothing"
    ASK = "ask"
    """Find out, in the background, who has the address."""
    TAKE = "take"
    """Bring the address to what is wanted."""
    FORCE = "force"
    """The same, whoever has it."""
    ANNOUNCE = "announce"
    REMOVE = "remove"


class Sight(NamedTuple):
    """What the kernel shows."""

    interface: Interface | None
    presence: Presence

    @property
    def linked(self) -> bool:
        return self.interface is not None and self.interface.carrier


class Finding(NamedTuple):
    """What asking has shown; neither of the two if the address is free."""

    rival: str | None = None
    """Who else has it."""
    problem: str | None = None
    """Why it was not possible to ask."""
    by_the_kernel: bool = False
    """The kernel has found the rival, which may have found this host in the same way."""


class Rules(NamedTuple):
    """How patient to be; seconds."""

    takeover: float = 5.0
    retry: float = 3.0
    force: bool = False


class Progress(NamedTuple):
    """How far things are."""

    held: bool = False
    """It was here, by our doing, when last seen."""
    told: bool = False
    """The neighbours have been told so, over the link as it is."""
    since: float | None = None
    """They are told only after an answer to a question that was asked later than this."""
    began: float | None = None
    """When the attempt to take it began."""
    asking: bool = False
    finding: Finding | None = None
    pause: float = 0.0
    """Nothing more is tried before this."""
    trouble: str = ""
    """Why the address is not here, though it should be."""


class Move(NamedTuple):
    """What to remember, what to do, and when to look again at the latest (None: no need to)."""

    progress: Progress
    act: Act = Act.NOTHING
    wake: float | None = None


def move(
    progress: Progress,
    sight: Sight,
    decision: Decision,
    now: float,
    rules: Rules,
    name: str,
    chance: float = 0.0,
) -> Move:
    """Return the next move.

    ``name`` is the interface's in the configuration.  ``chance``, from 0 to 1, lets hosts that may
    both have the address get out of step.
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
    """How things are after an act that was not possible."""
    return Progress(pause=now + rules.retry, trouble=trouble)


def doubted(progress: Progress, now: float) -> Progress:
    """Return the progress of an address that is announced again once the store has confirmed it."""
    return progress._replace(told=False, since=now)


def unproven(progress: Progress) -> float | None:
    """Return after which time the store has to be asked before the address is announced."""
    waiting = progress.held and not progress.told and progress.since is not None
    return progress.since if waiting and not progress.trouble else None


def _present(progress: Progress, sight: Sight, decision: Decision, now: float, name: str) -> Move:
    """Announce the address, unless that would rest on an answer older than the link.

    A host that was cut off may have been replaced meanwhile: an announcement of its own would turn
    the segment's clients away from the new leader.
    """
    if not sight.linked:
        return Move(Progress(held=True, since=now, trouble=linkless(sight.interface, name)))
    if progress.told:
        return Move(Progress(held=True, told=True))
    since = now if progress.since is None else progress.since
    if decision.asked is None or decision.asked <= since:
        return Move(Progress(held=True, since=since))
    return Move(Progress(held=True, told=True), Act.ANNOUNCE)


def _absent(
    progress: Progress, decision: Decision, now: float, rules: Rules, chance: float
) -> Move:
    if progress.held and not decision.degraded:
        # Somebody removed it a moment ago; this node leads, so nobody else can have taken it.
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
    """Somebody else has the address."""
    if now - (progress.began or 0.0) < rules.takeover:
        # Later attempts are no news.
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
    """Return why no address can work on an interface; nothing if one can."""
    if interface is None:
        return f"interface {name} does not exist"
    if interface.carrier:
        return ""
    return f"interface {interface.name} {'has no carrier' if interface.up else 'is down'}"
