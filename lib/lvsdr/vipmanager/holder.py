"""One address: reads its state, makes the moves of ``keeping``, and logs the changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from random import random

from ..address.interfaces import Interface, Place
from ..errors import LvsdrError
from ..leader.gate import HoldDecision, LeaderHistory, LeaderPolicy, decide
from ..system.net import ip_address, links
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from . import saved_addresses
from .address_machine import (
    Act,
    Finding,
    Move,
    Presence,
    Progress,
    Rules,
    Sight,
    doubted,
    failed,
    move,
)
from .configuration import Wanted
from .conflict_probe import FORM, Asking, Form, presence
from .guarding import Defence, Guard
from .log import Log
from .sysctls import Sysctls

_ROUNDS = 5  # announcements of an address, and the seconds between them, as in IPaddr2
_ROUND = 0.2
_MOVES = 6  # moves in one turn; taking an address needs three
_SECONDS = 10.0  # the deadline of one action


class Counts(NamedTuple):
    """Numbers of events since the daemon began."""

    taken: int = 0
    released: int = 0
    restored: int = 0
    conflicts: int = 0
    failures: int = 0


class Threads(NamedTuple):
    """Functions that start the background work of a holder."""

    ask: Callable[[Asking], None]
    """Search for another owner of the address, and pass the result to ``found``."""
    guard: Callable[[Guard], None]
    """Pass claims of other hosts to ``claimed``."""


class Holder:
    """An address, and the work of this host for it."""

    def __init__(self, wanted: Wanted, directory: str, log: Log, threads: Threads) -> None:
        self.wanted = wanted
        self.progress = Progress()
        self.sight, self.looked = Sight(None, Presence.ABSENT), False
        self.decision = HoldDecision(False, "the store has not answered yet")
        self.counts = Counts()
        self._directory = directory
        self._log = log
        self._sysctls = Sysctls(wanted, directory, log)
        self._threads = threads
        self._question: Asking | None = None
        self._rounds, self._next = 0, 0.0
        self._ours = False  # taken or adopted by this daemon
        self._confirmed: float | None = None
        self.confirmation = saved_addresses.Confirmation(directory, wanted.address)
        self._mac = ""
        self._said = ""  # the last trouble in the log
        self._defence = Defence()

    @property
    def held(self) -> bool:
        """Return whether the address is here."""
        return self.sight.presence not in (Presence.ABSENT, Presence.REFUSED)

    def look(self) -> Sight:
        """Read the current state from the kernel; raise LvsdrError."""
        interface, self.looked = links.interface(self.wanted.interface), True
        mac = "" if interface is None else interface.mac
        if mac != self._mac:  # the announced MAC is no longer valid
            self.progress = doubted(self.progress, time.monotonic())
        self._mac = mac
        self.sight = Sight(interface, presence(self.wanted, interface))
        return self.sight

    def turn(self, standing: LeaderHistory, policy: LeaderPolicy, rules: Rules) -> float:
        """Make all moves that are possible now; return the latest time of the next turn.

        Raises LvsdrError if the kernel does not report the state.
        """
        wakes: list[float | None] = []
        before = self.counts
        self._confirmed = standing.confirmed_at
        self._defend()
        for _ in range(_MOVES):
            sight, now = self.look(), time.monotonic()
            self.decision = decide(standing, holding=self.held, now=now, policy=policy)
            name, chance = self.wanted.interface, random()
            found = move(self.progress, sight, self.decision, now, rules, name, chance)
            self.progress = found.progress
            wakes = [found.wake, self.decision.review]
            if not self._done(found, rules):
                break
        self._ours = self._ours and (self.held or self.decision.hold)
        self._announce_again()
        self._guard()
        self._complain(self.counts != before)
        wakes += [self._next] if self._rounds else []
        wakes.append(self._defence.due)
        return min((wake for wake in wakes if wake is not None), default=float("inf"))

    def found(self, question: Asking, finding: Finding) -> None:
        """Record the result of a search, unless the search is no longer of interest."""
        if question is self._question and self.progress.asking:
            if finding.rival is not None:
                self._count("conflicts")
            self.progress = self.progress._replace(asking=False, finding=finding)

    def claimed(self, guard: Guard, mac: str) -> None:
        """Record that another host claims the address that is here."""
        self._defence.claimed(guard, mac)

    def release(self, reason: str) -> None:
        """Remove the address, whatever its stage; raise LvsdrError if that is not possible."""
        self.progress = Progress()
        self._defence.end()
        if self.look().presence is not Presence.ABSENT:
            self._remove(reason)

    def tidy(self) -> None:
        """Remove the other traces of a removed address, as far as possible."""
        try:
            saved_addresses.forget(self._directory, self.wanted.address)
            self._sysctls.release()
        except (LvsdrError, OSError) as error:
            self._log.warning("sysctl", address=self.wanted, reason=error)

    def _done(self, found: Move, rules: Rules) -> bool:
        """Perform a move; return whether another may follow at once."""
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
            self._threads.ask(self._question)
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
        with suppress(LvsdrError):  # a later call reports that it cannot be stored
            self.confirmation.store(self._confirmed)  # a killed daemon leaves both or neither
        self._sysctls.keep(place)
        ip_address.reach(place, interface, form, deadline)
        self._ours = True
        self._count("restored" if again else "taken")
        event, why = ("restored", "it was changed or removed") if again else ("taken", "")
        self._report(event, reason=why or self.decision.reason)

    def _remove(self, reason: str) -> None:
        interface, deadline = self.sight.interface, Deadline.after(_SECONDS)
        if interface is not None and ip_address.remove(self.wanted.address, interface, deadline):
            self._count("released")
            self._report("released", reason=reason)
        self._ours = False

    def _announce(self) -> None:
        """Begin the rounds of announcements."""
        if not self._ours:
            self._ours = True
            self._report("adopted", reason=self.decision.reason)
        self._rounds, self._next = _ROUNDS, 0.0
        if self._defence.over():
            self._rounds = 1
            self._report("defended", reason=self.decision.reason)

    def _announce_again(self) -> None:
        """Announce the address once more, if it is time; a failure is only a warning."""
        interface, now = self.sight.interface, time.monotonic()
        if interface is None or not self.progress.told:
            self._rounds = 0
        elif self._rounds and now >= self._next:
            self._rounds, self._next = self._rounds - 1, now + _ROUND
            try:
                ip_address.announce(self._place(interface), interface)
            except LvsdrError as error:
                self._log.warning("unannounced", address=self.wanted, reason=error)

    def _defend(self) -> None:
        """Have the address announced once, if another host has claimed it.

        A query of the store comes first, because that host may be the new leader.
        """
        now = time.monotonic()
        rival = self._defence.begin(now) if self.progress.told else ""
        if rival:
            self._count("conflicts")
            where = {"address": self.wanted, "interface": self.wanted.interface}
            self._log.warning("conflict", **where, reason=f"{rival} claims the address, too")
            self.progress = doubted(self.progress, now)

    def _guard(self) -> None:
        """Guard the address while it is here."""
        interface = self.sight.interface
        if interface is None or not (self.progress.held and self.sight.linked):
            self._defence.end()
        elif not self._defence.guards(self._place(interface), interface):
            self._threads.guard(self._defence.guard(self, self._place(interface), interface))

    def _complain(self, reported: bool) -> None:
        """Log an obstacle, or its end, when that changes."""
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
