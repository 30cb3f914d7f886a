"""One address: looks where it is, makes the moves that ``keeping`` says, and logs what changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from ..address import announcing, taking
from ..deadline import Deadline
from ..errors import LvsdrError
from ..gate import Decision, Policy, Standing, decide
from ..interfaces import Interface, Place
from ..system import links
from ..system.sysctl import Claims
from ..typed import NamedTuple
from . import memory
from .configuration import Wanted
from .keeping import Act, Finding, Move, Presence, Progress, Rules, Sight, failed, move
from .log import Log
from .looking import FORM, Asking, Form, presence

_ROUNDS = 5  # announcements of an address, and the seconds between them: IPaddr2's
_ROUND = 0.2
# Seconds by which what is remembered may be too old: that makes a grace too short, never too long.
_SELDOM = 0.5
_MOVES = 6  # without a rest; taking an address needs three
_SECONDS = 10.0  # for one act
_FREE = (Presence.ABSENT, Presence.REFUSED)


class Counts(NamedTuple):
    """How often since the daemon began."""

    taken: int = 0
    released: int = 0
    restored: int = 0
    conflicts: int = 0
    failures: int = 0


class Holder:
    """``asking`` starts a search for another owner, and brings the result to ``found``."""

    def __init__(
        self, wanted: Wanted, directory: str, log: Log, asking: Callable[[Asking], None]
    ) -> None:
        self.wanted = wanted
        self.progress = Progress()
        self.sight = Sight(None, Presence.ABSENT)
        self.decision = Decision(False, "the store has not answered yet")
        self.counts = Counts()
        self._directory = directory
        self._log = log
        self._asking = asking
        self._question: Asking | None = None
        self._rounds, self._next = 0, 0.0
        self._ours = False  # taken, or seen here, by this daemon
        self._confirmed: float | None = None
        self._remembered: float | None = None
        self._fresh = True
        self._mac = ""
        self._said = ""  # the trouble that the log knows of

    @property
    def held(self) -> bool:
        """Whether the address is here."""
        return self.sight.presence not in _FREE

    def look(self) -> Sight:
        """See what the kernel has now; raises LvsdrError."""
        interface = links.interface(self.wanted.interface)
        mac = "" if interface is None else interface.mac
        if mac != self._mac:  # what the neighbours were told is wrong by now
            self.progress = self.progress._replace(told=False)
        self._mac = mac
        self.sight = Sight(interface, presence(self.wanted, interface))
        return self.sight

    def turn(self, standing: Standing, policy: Policy, rules: Rules) -> float:
        """Make all moves that can be made now; returns when to do so again at the latest.

        Raises LvsdrError if the kernel does not say what it has.
        """
        wakes: list[float | None] = []
        before = self.counts
        self._confirmed = standing.confirmed
        for _ in range(_MOVES):
            sight, now = self.look(), time.monotonic()
            self.decision = decide(standing, holding=self.held, now=now, policy=policy)
            found = move(self.progress, sight, self.decision, now, rules, self.wanted.interface)
            self.progress = found.progress
            wakes = [found.wake, self.decision.review]
            if not self._done(found, rules):
                break
        self._ours = self._ours and (self.held or self.decision.hold)
        self._announce_again()
        self._complain(self.counts != before)
        wakes += [self._next] if self._rounds else []
        return min((wake for wake in wakes if wake is not None), default=float("inf"))

    def found(self, question: Asking, finding: Finding) -> None:
        """What a search has found, unless nobody wants to know any more."""
        if question is self._question and self.progress.asking:
            if finding.rival is not None:
                self._count("conflicts")
            self.progress = self.progress._replace(asking=False, finding=finding)

    def remember(self, confirmed: float | None) -> None:
        """Store, now and then, what the next daemon has to know; raises LvsdrError."""
        new = -1.0 if confirmed is None else confirmed
        if self._remembered is None or new - self._remembered >= _SELDOM or new < 0:
            if self._remembered != new:
                memory.remember(self._directory, self.wanted.address, confirmed)
            self._remembered = new

    def forget(self) -> None:
        """There is nothing that the next daemon has to know."""
        if self._remembered is not None or self._fresh:
            memory.forget(self._directory, self.wanted.address)
        self._remembered, self._fresh = None, False

    def release(self, reason: str) -> None:
        """Give the address back, wherever things are; raises LvsdrError if that is not possible."""
        self.progress = Progress()
        if self.look().presence is not Presence.ABSENT:
            self._remove(reason)

    def tidy(self) -> None:
        """Once the address is gone: leave nothing else behind, as far as that is possible."""
        try:
            memory.forget(self._directory, self.wanted.address)
            claims = self._claims()
            for sentence in claims.release():
                self._log.info("sysctl", address=self.wanted, reason=sentence)
            self._warn_of(claims)
        except (LvsdrError, OSError) as error:
            self._log.warning("sysctl", address=self.wanted, reason=error)

    def _done(self, found: Move, rules: Rules) -> bool:
        """Carry out a move; whether there may be another at once."""
        try:
            return self._acted(found.act)
        except (LvsdrError, OSError) as error:
            self._count("failures")
            self.progress = failed(time.monotonic(), rules, str(error))
            return False

    def _acted(self, act: Act) -> bool:
        interface = self.sight.interface
        if act is Act.ASK and interface is not None:
            self._question = Asking(self, self._place(interface), interface)
            self._asking(self._question)
        elif act in (Act.TAKE, Act.FORCE) and interface is not None:
            self._take(interface, FORM._replace(duplicate_check=act is Act.TAKE))
        elif act is Act.ANNOUNCE:
            self._announce()
        elif act is Act.REMOVE:
            self._remove(self.decision.reason)
        return act not in (Act.NOTHING, Act.ASK)

    def _take(self, interface: Interface, form: Form) -> None:
        place, deadline = self._place(interface), Deadline.after(_SECONDS)
        again = self._ours
        with suppress(LvsdrError):  # that it cannot be stored is said when the address is here
            self.remember(self._confirmed)  # a daemon that is killed next leaves both or neither
        self._keep_sysctls(place)
        taking.reach(place, interface, form, deadline)
        self._ours = True
        self._count("restored" if again else "taken")
        event, why = ("restored", "it was changed or removed") if again else ("taken", "")
        self._report(event, reason=why or self.decision.reason)

    def _keep_sysctls(self, place: Place) -> None:
        try:
            claims = self._claims()
            for sentence in taking.keep_sysctls(place, claims):
                self._log.info("sysctl", address=self.wanted, reason=sentence)
            self._warn_of(claims)
        except (LvsdrError, OSError) as error:  # in a container, say; the address matters more
            self._log.warning("sysctl", address=self.wanted, reason=error)

    def _warn_of(self, claims: Claims) -> None:
        for sentence in claims.trouble:
            self._log.warning("sysctl", address=self.wanted, reason=sentence)

    def _remove(self, reason: str) -> None:
        interface, deadline = self.sight.interface, Deadline.after(_SECONDS)
        if interface is not None and taking.remove(self.wanted.address, interface, deadline):
            self._count("released")
            self._report("released", reason=reason)
        self._ours = False

    def _announce(self) -> None:
        """The first of several rounds."""
        if not self._ours:
            self._ours = True
            self._report("adopted", reason=self.decision.reason)
        self._rounds, self._next = _ROUNDS, 0.0

    def _announce_again(self) -> None:
        """Tell the neighbours once more, if it is time to; a failure is no reason to give up."""
        interface, now = self.sight.interface, time.monotonic()
        if self.sight.presence is not Presence.PRESENT or interface is None:
            self._rounds = 0
        elif self._rounds and now >= self._next:
            self._rounds, self._next = self._rounds - 1, now + _ROUND
            try:
                announcing.announce(self._place(interface), interface)
            except LvsdrError as error:
                self._log.warning("unannounced", address=self.wanted, reason=error)

    def _complain(self, reported: bool) -> None:
        """Say what is in the way, or no more so, when that changes."""
        trouble, self._said = self._said, self.progress.trouble
        where = {"address": self.wanted, "interface": self.wanted.interface}
        if self._said and trouble != self._said:
            self._log.warning("waiting", **where, reason=self._said)
        elif trouble and not self._said and not reported:
            self._log.info("resolved", **where, reason=trouble)

    def _report(self, event: str, reason: str) -> None:
        self._log.info(event, address=self.wanted, interface=self.wanted.interface, reason=reason)

    def _count(self, what: str) -> None:
        self.counts = self.counts._replace(**{what: getattr(self.counts, what) + 1})

    def _place(self, interface: Interface) -> Place:
        return Place(self.wanted.address, self.wanted.prefix, interface.name)

    def _claims(self) -> Claims:
        owner = f"vip-manager {self.wanted.address}"
        return Claims(self._directory, owner, Deadline.after(_SECONDS))
