"""The queries of the store, and the state that follows from its answers."""

from __future__ import annotations

import time
from math import inf

from ..leader.gate import Answer, LeaderHistory, State, record_answer, resume_history
from ..system.net.first_answer import Bell
from . import saved_addresses, status_document
from .configuration import Configuration
from .events import Events, StoreAnswered
from .log import DaemonLog

_SLACK = 1.0  # seconds beyond its timeout for the first answer
_RESTART_INTERVAL = 1.0  # seconds from one start of the query thread to the next


class StoreWatch:
    """The store of one configuration, queried by a thread of ``events``."""

    def __init__(self, configuration: Configuration, events: Events, log: DaemonLog) -> None:
        self.history = LeaderHistory()
        self.counts = status_document.AnswerCounts()
        self._configuration = configuration
        self._events = events
        self._log = log
        self._bell, self._queries_began = Bell(), 0.0
        self._first_answer_by = 0.0

    def begin(self) -> None:
        """Query the store from now on, beginning with the state that an earlier daemon saved."""
        self._query(self._read_saved_history())

    def change(self, configuration: Configuration) -> None:
        """Query the store of another configuration from now on, if that is different."""
        store_query, self._configuration = self._configuration.store_query, configuration
        if configuration.store_query != store_query:
            self._query(resume_history(self.history.confirmed_at))

    def wait_for_first_answer(self, now: float) -> float | None:
        """Return the end of the time for the first answer; None after it, or with an answer."""
        waiting = self.history.latest is None and now < self._first_answer_by
        return self._first_answer_by if waiting else None

    def record(self, event: StoreAnswered) -> None:
        """Record an answer, unless it belongs to earlier queries."""
        if event.bell is self._bell:
            previous, answer = self.history.latest, event.answer
            self.history = record_answer(self.history, answer, self._configuration.policy)
            self._count_answer(answer)
            self._log_change(previous, answer)

    def query_again(self, required_start: float | None, now: float) -> float:
        """Restart the queries for an announcement that waits; return the next time to check.

        ``required_start`` is the time after which a query must start; None without an announcement.
        """
        if required_start is None or required_start < self._queries_began:
            return inf
        if now < self._queries_began + _RESTART_INTERVAL:
            return self._queries_began + _RESTART_INTERVAL
        self._query(self.history)
        return inf

    def _query(self, history: LeaderHistory) -> None:
        """Start the queries of the store, beginning with this state."""
        self._bell.stop()
        self._bell, self._queries_began = Bell(), time.monotonic()
        self.history = history
        self._first_answer_by = time.monotonic() + self._configuration.policy.timeout + _SLACK
        self._events.query_store(self._configuration, self._bell)

    def _count_answer(self, answer: Answer) -> None:
        is_silent = _is_silence(answer)
        answers, unanswered, last = self.counts
        self.counts = status_document.AnswerCounts(
            answers + (not is_silent),
            unanswered + is_silent,
            last if is_silent else answer.answered_at,
        )

    def _log_change(self, previous: Answer | None, answer: Answer) -> None:
        now = answer.leadership
        if previous is None or (previous.leadership.state, previous.leadership.leader) != (
            now.state,
            now.leader,
        ):
            log = self._log.warning if _is_silence(answer) else self._log.info
            log("store", state=now.state.value, leader=now.leader or "", reason=now.reason)

    def _read_saved_history(self) -> LeaderHistory:
        """Return the state that an earlier daemon stored, if it left an address here."""
        directory, now = self._configuration.run_directory, time.monotonic()
        saved_times = [
            saved_addresses.read_confirmation(directory, wanted.address, now)
            for wanted in self._configuration.addresses
        ]
        times = [time for time in saved_times if time is not None]
        return resume_history(max(times, default=None))


def _is_silence(answer: Answer) -> bool:
    return answer.leadership.state in (State.UNKNOWN, State.STOPPED)
