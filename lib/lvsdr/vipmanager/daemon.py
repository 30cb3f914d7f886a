"""The daemon: one thread that decides and acts, independent of the threads that wait."""

from __future__ import annotations

import os
import signal
import time
from math import inf

from ..errors import LvsdrError
from ..leader.gate import Answer, LeaderHistory, State, record_answer, resume_history
from ..system.daemon import notify
from ..system.net.first_answer import Bell
from . import saved_addresses, status_document
from .events import Broken, Claimed, Events, Found, Heard, Loaded, Signalled
from .holder import Holder, Threads
from .holdings import Holdings
from .log import Log
from .status import Publisher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .configuration import Configuration
    from .events import Event, Load

_SLACK = 1.0  # seconds beyond its timeout for the first answer
_SELDOM = 1.0  # seconds from one start of the query thread to the next
_LAST_WORDS = 1.0  # seconds for the last lines of the log


class Daemon:
    """The daemon; ``load`` reads the configuration, and raises LvsdrError if it is unusable."""

    def __init__(self, load: Load) -> None:
        self._load = load
        configuration = self._configuration = load()
        self._log = Log(configuration.level, configuration.log_format)
        self._events = Events()
        self._bell, self._began = Bell(), 0.0
        self._standing = LeaderHistory()
        self._heard = status_document.Heard()
        directory = configuration.run_directory
        self._holdings = Holdings(
            directory, self._log, Threads(self._events.ask, self._events.guard)
        )
        self._patience = 0.0
        self._broken = self._stale = ""
        self._signals: list[int] = []
        self._loading = 0  # the latest request to read the configuration
        self._result: Configuration | LvsdrError | None = None

    def run(self) -> int:
        """Run until a signal ends the daemon; return the exit status.

        Raises LvsdrError at the start.
        """
        configuration = self._configuration
        self._warn()
        self._holdings.begin(configuration.wanted)
        publisher = Publisher(configuration, self._log)
        self._events.signals()
        self._events.changes()
        self._ask(self._remembered())
        addresses = ",".join(map(str, configuration.wanted))
        self._log.info("started", addresses=addresses, store=configuration.store, pid=os.getpid())
        publisher.begin(self._document())
        notify.tell("READY=1")
        try:
            return self._live(publisher)
        except BaseException:
            self._end("an internal error")  # without a daemon, two nodes could have the address
            raise
        finally:
            publisher.end()
            self._log.flush(_LAST_WORDS)
            self._events.default_signals()

    def _live(self, publisher: Publisher) -> int:
        wake = 0.0
        while True:
            self._receive(min(wake, publisher.due) - time.monotonic())
            if not self._ending and signal.SIGHUP in self._signals:
                self._signals.clear()
                self._reload()
            if not self._ending and self._result is not None:
                result, self._result = self._result, None
                self._loaded(result)
            wake = self._turn()
            if self._ending:
                return self._end(signal.Signals(self._ending[0]).name)
            publisher.publish(self._document())

    @property
    def _ending(self) -> list[int]:
        return [number for number in self._signals if number != signal.SIGHUP]

    def _receive(self, seconds: float) -> bool:
        """Process all events, waiting ``seconds`` at most; return whether there was any."""
        events = self._events.wait(seconds)
        for event in events:
            self._take_in(event)
        return bool(events)

    def _take_in(self, event: Event) -> None:
        if isinstance(event, Heard) and event.bell is self._bell:
            self._hear(event.answer)
        elif isinstance(event, Found):
            event.asking.holder.found(event.asking, event.finding)
        elif isinstance(event, Claimed):
            event.guard.holder.claimed(event.guard, event.mac)
        elif isinstance(event, Signalled):
            self._signals.append(event.number)
        elif isinstance(event, Loaded) and event.number == self._loading:
            self._result = event.result
        elif isinstance(event, Broken):
            self._once(event.reason)

    def _hear(self, answer: Answer) -> None:
        before, now = self._standing.latest, answer.leadership
        self._standing = record_answer(self._standing, answer, self._configuration.policy)
        silent = now.state in (State.UNKNOWN, State.STOPPED)
        answers, unanswered, last = self._heard
        self._heard = status_document.Heard(
            answers + (not silent), unanswered + silent, last if silent else answer.answered_at
        )
        if before is None or (before.leadership.state, before.leadership.leader) != (
            now.state,
            now.leader,
        ):
            say = self._log.warning if silent else self._log.info
            say("store", state=now.state.value, leader=now.leader or "", reason=now.reason)

    def _turn(self) -> float:
        """Make the due moves of every address; return the latest time of the next turn."""
        now = time.monotonic()
        wake = now + self._configuration.keepalive
        if self._standing.latest is None and now < self._patience:
            return min(wake, self._patience)  # no decision before the store's first answer
        for holder in self._holdings.holders:
            if self._ending:
                break
            wake = min(wake, self._one_turn(holder))
            if self._receive(0.0):  # it applies to the next holder, and soon to the earlier ones
                wake = now
        return min(wake, self._prove(now))

    def _prove(self, now: float) -> float:
        """Restart the queries for an announcement that waits; return the next time to check."""
        since = self._holdings.unproven
        if since is None or since < self._began:
            return inf
        if now < self._began + _SELDOM:
            return self._began + _SELDOM
        self._ask(self._standing)
        return inf

    def _one_turn(self, holder: Holder) -> float:
        try:
            wake = holder.turn(
                self._standing, self._configuration.policy, self._configuration.rules
            )
            if holder.held:
                holder.confirmation.store(self._standing.confirmed_at)
            else:
                holder.confirmation.forget()
        except LvsdrError as error:
            self._once(str(error))
            return float("inf")
        return wake

    def _once(self, reason: str) -> None:
        """Log a failure, unless it equals the last one logged."""
        if reason != self._broken:
            self._broken = reason
            self._log.error("broken", reason=reason)

    def _reload(self) -> None:
        """Read the configuration in the background; only the latest request counts."""
        micros = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notify.tell("RELOADING=1", f"MONOTONIC_USEC={micros}")
        self._loading += 1
        self._events.load(self._load, self._loading)

    def _loaded(self, result: Configuration | LvsdrError) -> None:
        try:
            if isinstance(result, LvsdrError):
                raise result
            self._change(result)
            self._stale = ""
            self._warn()
            self._log.info("reloaded", addresses=",".join(map(str, self._configuration.wanted)))
        except LvsdrError as error:
            self._stale = str(error)
            self._log.error("unchanged", reason=error)
        notify.tell("READY=1")

    def _warn(self) -> None:
        for warning in self._configuration.warnings:
            self._log.warning("configuration", reason=warning)

    def _change(self, new: Configuration) -> None:
        """Switch to another configuration; raise LvsdrError if that is not possible."""
        old = self._configuration
        self._holdings.change(new.wanted)
        self._configuration = new._replace(run_directory=old.run_directory)
        self._log.adjust(new.level, new.log_format)
        if new.question != old.question:
            self._ask(resume_history(self._standing.confirmed_at))

    def _ask(self, standing: LeaderHistory) -> None:
        """Query the configured store from now on, beginning with this state."""
        self._bell.stop()
        self._bell, self._began = Bell(), time.monotonic()
        self._standing = standing
        self._patience = time.monotonic() + self._configuration.policy.timeout + _SLACK
        self._events.answers(self._configuration, self._bell)

    def _remembered(self) -> LeaderHistory:
        """Return the state that an earlier daemon stored, if it left an address here."""
        directory, now = self._configuration.run_directory, time.monotonic()
        times = [
            saved_addresses.remembered(directory, w.address, now)
            for w in self._configuration.wanted
        ]
        known = [time for time in times if time is not None]
        return resume_history(max(known, default=None))

    def _end(self, reason: str) -> int:
        """Release everything, the addresses first; return the exit status."""
        keep = self._configuration.keep_on_exit
        released = keep or self._holdings.release(f"the daemon ends: {reason}")
        notify.tell("STOPPING=1")
        if not keep:
            self._holdings.tidy()
        holders = self._holdings.holders if keep else []
        kept = ",".join(str(holder.wanted) for holder in holders if holder.held)
        self._log.info("ended", reason=reason, kept=kept)
        return 0 if released else 1

    def _document(self) -> status_document.Document:
        store = self._configuration.store
        policy, holders = self._configuration.policy, self._holdings.holders
        told = status_document.document(store, self._standing, self._heard, policy, holders)
        return {**told, "pid": os.getpid(), "stale": self._stale}
