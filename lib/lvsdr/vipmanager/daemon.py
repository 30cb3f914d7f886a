"""The daemon: one thread that decides and acts, independent of the threads that wait."""

from __future__ import annotations

import os
import signal
import time

from ..errors import LvsdrError
from ..system.daemon import environment
from . import status_document
from .address_set import AddressSet
from .events import (
    AddressClaimed,
    ConfigurationLoaded,
    Events,
    ProbeFinished,
    SignalReceived,
    StoreAnswered,
    ThreadFailed,
)
from .log import DaemonLog
from .managed_address import BackgroundWork, ManagedAddress
from .status import StatusPublisher
from .store_watch import StoreWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .configuration import Configuration
    from .events import Event, Load

_FLUSH = 1.0  # seconds for the last lines of the log


class Daemon:
    """The daemon; ``load`` reads the configuration, and raises LvsdrError if it is unusable."""

    def __init__(self, load: Load) -> None:
        self._load = load
        configuration = self._configuration = load()
        self._log = DaemonLog(configuration.log_level, configuration.log_format)
        self._events = Events()
        self._store = StoreWatch(configuration, self._events, self._log)
        self._addresses = AddressSet(
            configuration.run_directory,
            self._log,
            BackgroundWork(self._events.probe, self._events.guard, self._events.interfaces.read),
        )
        self._logged_failure = self._reload_error = ""
        self._signals: list[int] = []
        self._reload_number = 0  # the latest request to read the configuration
        self._reloaded: Configuration | LvsdrError | None = None

    def run(self) -> int:
        """Run until a signal ends the daemon; return the exit status.

        Raises LvsdrError at the start.
        """
        configuration = self._configuration
        self._log_warnings()
        self._addresses.begin(configuration.addresses)
        publisher = StatusPublisher(configuration, self._log)
        self._events.catch_signals()
        self._events.watch_network()
        self._store.begin()
        addresses = ",".join(map(str, configuration.addresses))
        self._log.info("started", addresses=addresses, store=configuration.store, pid=os.getpid())
        publisher.publish(self._build_document())
        environment.notify_service_manager("READY=1")
        try:
            return self._run_loop(publisher)
        except BaseException:
            self._end("an internal error")  # without a daemon, two nodes could have the address
            raise
        finally:
            publisher.end()
            self._log.flush(_FLUSH)
            self._events.restore_signals()

    def _run_loop(self, publisher: StatusPublisher) -> int:
        wake = 0.0
        while True:
            self._receive(min(wake, publisher.due) - time.monotonic())
            if not self._end_signals and signal.SIGHUP in self._signals:
                self._signals.clear()
                self._begin_reload()
            if not self._end_signals and self._reloaded is not None:
                reloaded, self._reloaded = self._reloaded, None
                self._finish_reload(reloaded)
            wake = self._make_moves()
            if self._end_signals:
                return self._end(signal.Signals(self._end_signals[0]).name)
            publisher.publish(self._build_document())

    @property
    def _end_signals(self) -> list[int]:
        return [number for number in self._signals if number != signal.SIGHUP]

    def _receive(self, seconds: float) -> bool:
        """Process all events, waiting ``seconds`` at most; return whether there was any."""
        events = self._events.wait(seconds)
        for event in events:
            self._process(event)
        return bool(events)

    def _process(self, event: Event) -> None:
        if isinstance(event, StoreAnswered):
            self._store.record(event)
        elif isinstance(event, ProbeFinished):
            self._addresses.record_probe_result(event.probe, event.result)
        elif isinstance(event, AddressClaimed):
            self._addresses.record_claim(event.guard, event.mac)
        elif isinstance(event, SignalReceived):
            self._signals.append(event.number)
        elif isinstance(event, ConfigurationLoaded) and event.number == self._reload_number:
            self._reloaded = event.result
        elif isinstance(event, ThreadFailed):
            self._log_failure(event.reason)

    def _make_moves(self) -> float:
        """Make the due moves of every address; return the latest time of the next turn."""
        now = time.monotonic()
        wake = now + self._configuration.check_interval
        end_of_wait = self._store.wait_for_first_answer(now)
        if end_of_wait is not None:
            return min(wake, end_of_wait)  # no decision before the store's first answer
        for address in self._addresses.addresses:
            if self._end_signals:
                break
            wake = min(wake, self._make_moves_of(address))
            if self._receive(0.0):  # it applies to the next address, and soon to the earlier ones
                wake = now
        return min(wake, self._store.query_again(self._addresses.required_query_start, now))

    def _make_moves_of(self, address: ManagedAddress) -> float:
        try:
            wake = address.make_moves(
                self._store.history, self._configuration.policy, self._configuration.takeover_rules
            )
            if address.held:
                address.confirmation.store(self._store.history.confirmed_at)
            else:
                address.confirmation.delete()
        except LvsdrError as error:
            self._log_failure(str(error))
            return float("inf")
        return wake

    def _log_failure(self, reason: str) -> None:
        """Log a failure, unless it equals the last one logged."""
        if reason != self._logged_failure:
            self._logged_failure = reason
            self._log.error("broken", reason=reason)

    def _begin_reload(self) -> None:
        """Read the configuration in the background; only the latest request counts."""
        micros = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        environment.notify_service_manager("RELOADING=1", f"MONOTONIC_USEC={micros}")
        self._reload_number += 1
        self._events.load_configuration(self._load, self._reload_number)

    def _finish_reload(self, result: Configuration | LvsdrError) -> None:
        try:
            if isinstance(result, LvsdrError):
                raise result
            self._change_configuration(result)
            self._reload_error = ""
            self._log_warnings()
            self._log.info("reloaded", addresses=",".join(map(str, self._configuration.addresses)))
        except LvsdrError as error:
            self._reload_error = str(error)
            self._log.error("unchanged", reason=error)
        environment.notify_service_manager("READY=1")

    def _log_warnings(self) -> None:
        for warning in self._configuration.warnings:
            self._log.warning("configuration", reason=warning)

    def _change_configuration(self, configuration: Configuration) -> None:
        """Change to another configuration; raise LvsdrError if that is not possible."""
        previous = self._configuration
        self._addresses.change(configuration.addresses)
        self._configuration = configuration._replace(run_directory=previous.run_directory)
        self._log.adjust(configuration.log_level, configuration.log_format)
        self._store.change(self._configuration)

    def _end(self, reason: str) -> int:
        """Release everything, the addresses first; return the exit status."""
        keeps_addresses = self._configuration.keep_on_exit
        is_released = keeps_addresses or self._addresses.release(f"the daemon ends: {reason}")
        environment.notify_service_manager("STOPPING=1")
        if not keeps_addresses:
            self._addresses.remove_traces()
        addresses = self._addresses.addresses if keeps_addresses else []
        kept_addresses = ",".join(str(address.wanted) for address in addresses if address.held)
        self._log.info("ended", reason=reason, kept=kept_addresses)
        return 0 if is_released else 1

    def _build_document(self) -> status_document.StatusDocument:
        store = self._configuration.store
        policy, addresses = self._configuration.policy, self._addresses.addresses
        document = status_document.describe_state(
            store, self._store.history, self._store.counts, policy, addresses
        )
        return {**document, "pid": os.getpid(), "stale": self._reload_error}
