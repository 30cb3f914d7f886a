"""One address of the daemon: its state, the moves of ``address_machine``, and its log."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from random import random

from ..address.interfaces import Interface, Place
from ..errors import LvsdrError
from ..leader.gate import HoldDecision, LeaderHistory, LeaderPolicy, decide
from ..system.net import ip_address
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from .address_defence import AddressDefence, AddressGuard, AnnouncementRounds
from .address_log import AddressLog, EventCounts
from .address_machine import (
    Act,
    AddressState,
    Presence,
    ProbeResult,
    Progress,
    TakeoverRules,
    decide_move,
    record_failure,
    require_new_answer,
)
from .conflict_probe import (
    DEFAULT_PROPERTIES,
    AddressProperties,
    ConflictProbe,
    determine_presence,
)
from .log import DaemonLog
from .saved_addresses import SavedConfirmation
from .sysctls import AddressSysctls
from .wanted_addresses import WantedAddress

_MOVES = 6  # moves in one turn; taking an address needs three
_SECONDS = 10.0  # the deadline of one action


class BackgroundWork(NamedTuple):
    """Functions that use other threads for an address."""

    probe: Callable[[ConflictProbe], None]
    """Run a probe, and pass its result to ``record_probe_result``."""
    guard: Callable[[AddressGuard], None]
    """Pass claims of other hosts to ``record_claim``."""
    read_interface: Callable[[str], Interface | None]
    """Return the interface with this name; raise LvsdrError if that takes too long."""


class ManagedAddress:
    """An address, and the work of this host for it."""

    def __init__(
        self, wanted: WantedAddress, directory: str, log: DaemonLog, work: BackgroundWork
    ) -> None:
        self.wanted = wanted
        self.progress = Progress()
        self.state, self.state_read = AddressState(None, Presence.ABSENT), False
        self.decision = HoldDecision(False, "the store has not answered yet")
        self.confirmation = SavedConfirmation(directory, wanted.address)
        self._log = AddressLog(log)
        self._sysctls = AddressSysctls(wanted, directory, log)
        self._work = work
        self._probe: ConflictProbe | None = None
        self._rounds = AnnouncementRounds()
        self._is_ours = False  # taken or adopted by this daemon
        self._confirmed_at: float | None = None
        self._mac = ""
        self._defence = AddressDefence()

    @property
    def held(self) -> bool:
        """Return whether the address is here."""
        return self.state.presence not in (Presence.ABSENT, Presence.REFUSED)

    @property
    def counts(self) -> EventCounts:
        return self._log.counts

    def read_state(self) -> AddressState:
        """Read the current state from the kernel; raise LvsdrError."""
        interface, self.state_read = self._work.read_interface(self.wanted.interface), True
        mac = "" if interface is None else interface.mac
        if mac != self._mac:  # the announced MAC is no longer valid
            self.progress = require_new_answer(self.progress, time.monotonic())
        self._mac = mac
        self.state = AddressState(interface, determine_presence(self.wanted, interface))
        return self.state

    def make_moves(
        self, history: LeaderHistory, policy: LeaderPolicy, rules: TakeoverRules
    ) -> float:
        """Make all moves that are possible now; return the latest time of the next turn.

        Raises LvsdrError if the kernel does not report the state.
        """
        wakes: list[float | None] = []
        counts_before = self.counts
        self._confirmed_at = history.confirmed_at
        self._begin_defence()
        for _ in range(_MOVES):
            state, now = self.read_state(), time.monotonic()
            self.decision = decide(history, holding=self.held, now=now, policy=policy)
            name, chance = self.wanted.interface, random()
            move = decide_move(self.progress, state, self.decision, now, rules, name, chance)
            self.progress = move.progress
            wakes = [move.wake, self.decision.review]
            if not self._try_act(move.act, rules):
                break
        self._is_ours = self._is_ours and (self.held or self.decision.hold)
        self._repeat_announcement()
        self._guard_while_held()
        change_logged = self.counts != counts_before
        self._log.log_trouble(self.wanted, self.progress.trouble, change_logged=change_logged)
        wakes += [self._rounds.due, self._defence.due]
        return min((wake for wake in wakes if wake is not None), default=float("inf"))

    def record_probe_result(self, probe: ConflictProbe, result: ProbeResult) -> None:
        """Record the result of a probe, unless it is not the latest one for this address."""
        if probe is self._probe and self.progress.probing:
            if result.rival is not None:
                self._log.count("conflicts")
            self.progress = self.progress._replace(probing=False, probe_result=result)

    def record_claim(self, guard: AddressGuard, mac: str) -> None:
        """Record that another host claims the address, if ``guard`` covers it."""
        self._defence.record_claim(guard, mac)

    def release(self, reason: str) -> None:
        """Remove the address, whatever its stage; raise LvsdrError if that is not possible."""
        self.progress = Progress()
        self._defence.end()
        if self.read_state().presence is not Presence.ABSENT:
            self._remove(reason)

    def remove_traces(self) -> None:
        """Remove the state file and the sysctls of a removed address, as far as possible."""
        try:
            self.confirmation.delete()
            self._sysctls.release()
        except (LvsdrError, OSError) as error:
            self._log.log_warning("sysctl", self.wanted, error)

    def _try_act(self, act: Act, rules: TakeoverRules) -> bool:
        """Perform an action; return whether another move may follow at once."""
        try:
            return self._perform(act)
        except (LvsdrError, OSError) as error:
            self._log.count("failures")
            self.progress = record_failure(time.monotonic(), rules, str(error))
            return False

    def _perform(self, act: Act) -> bool:
        interface = self.state.interface
        if act is Act.PROBE and interface is not None:
            self._probe = ConflictProbe(self._build_place(interface), interface)
            self._work.probe(self._probe)
        elif act in (Act.TAKE, Act.FORCE) and interface is not None:
            self._take(interface, DEFAULT_PROPERTIES._replace(duplicate_check=act is Act.TAKE))
        elif act is Act.ANNOUNCE:
            self._begin_announcement()
        elif act is Act.REMOVE:
            self._remove(self.decision.reason)
        return act not in (Act.NOTHING, Act.PROBE)

    def _take(self, interface: Interface, properties: AddressProperties) -> None:
        place, deadline = self._build_place(interface), Deadline.after(_SECONDS)
        was_ours = self._is_ours
        with suppress(LvsdrError):  # a later call reports that it cannot be stored
            self.confirmation.store(self._confirmed_at)  # a killed daemon leaves both or neither
        self._sysctls.claim(place)
        ip_address.configure(place, interface, properties, deadline)
        self._is_ours = True
        event = "restored" if was_ours else "taken"
        reason = "it was changed or removed" if was_ours else self.decision.reason
        self._log.count(event)
        self._log.log_change(event, self.wanted, reason)

    def _remove(self, reason: str) -> None:
        interface, deadline = self.state.interface, Deadline.after(_SECONDS)
        if interface is not None and ip_address.remove(self.wanted.address, interface, deadline):
            self._log.count("released")
            self._log.log_change("released", self.wanted, reason)
        self._is_ours = False

    def _begin_announcement(self) -> None:
        """Begin the rounds of announcements; one round answers another host's claim."""
        if not self._is_ours:
            self._is_ours = True
            self._log.log_change("adopted", self.wanted, self.decision.reason)
        self._rounds.begin()
        if self._defence.finish():
            self._rounds.begin(1)
            self._log.log_change("defended", self.wanted, self.decision.reason)

    def _repeat_announcement(self) -> None:
        """Announce the address once more, if it is time; a failure is only a warning."""
        interface = self.state.interface
        if interface is None or not self.progress.announced:
            self._rounds.cancel()
            return
        try:
            self._rounds.announce_if_due(self._build_place(interface), interface)
        except LvsdrError as error:
            self._log.log_warning("unannounced", self.wanted, error)

    def _begin_defence(self) -> None:
        """Have the address announced once, if another host has claimed it.

        A query of the store comes first, because that host may be the new leader.
        """
        now = time.monotonic()
        rival = self._defence.begin(now) if self.progress.announced else ""
        if rival:
            self._log.log_conflict(self.wanted, rival)
            self.progress = require_new_answer(self.progress, now)

    def _guard_while_held(self) -> None:
        interface = self.state.interface
        if interface is None or not (self.progress.held and self.state.linked):
            self._defence.end()
        elif not self._defence.has_guard(self._build_place(interface), interface):
            self._work.guard(self._defence.start_guard(self._build_place(interface), interface))

    def _build_place(self, interface: Interface) -> Place:
        return Place(self.wanted.address, self.wanted.prefix, interface.name)
