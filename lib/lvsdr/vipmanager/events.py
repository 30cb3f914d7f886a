"""The events that the daemon waits for, and the threads that produce them."""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Sequence
from threading import Thread

from .. import leader
from ..errors import LvsdrError
from ..leader.following import follow
from ..leader.gate import Answer
from ..system.net.first_answer import Bell
from ..system.net.interface_watch import InterfaceWatch
from ..values.light_typing import NamedTuple
from .address_defence import AddressGuard
from .address_machine import ProbeResult
from .configuration import Configuration
from .conflict_probe import ConflictProbe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

_PAUSE = 1.0  # seconds until a failed thread tries again


class StoreAnswered(NamedTuple):
    """An answer of the store to the queries with this bell."""

    bell: Bell
    answer: Answer


class NetworkChanged(NamedTuple):
    """A change of a link or an address of this host."""


class ProbeFinished(NamedTuple):
    """The result of a probe for another owner of an address."""

    probe: ConflictProbe
    result: ProbeResult


class AddressClaimed(NamedTuple):
    """A claim of another host to a guarded address."""

    guard: AddressGuard
    mac: str


class SignalReceived(NamedTuple):
    """A signal to this process."""

    number: int


class ConfigurationLoaded(NamedTuple):
    """The current configuration, or the error that makes it unusable."""

    number: int
    result: Configuration | LvsdrError


class ThreadFailed(NamedTuple):
    """A failure of a thread, which goes on trying."""

    reason: str


if TYPE_CHECKING:
    Event = Union[
        StoreAnswered,
        NetworkChanged,
        ProbeFinished,
        AddressClaimed,
        SignalReceived,
        ConfigurationLoaded,
        ThreadFailed,
    ]
    Load = Callable[[], Configuration]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Events:
    """The queue of all events; any thread may add one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._change_queued = False
        self.interfaces = InterfaceWatch()

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return all queued events, or none after ``seconds``."""
        try:
            events = [self._queue.get(timeout=max(seconds, 0.0))]
        except queue.Empty:
            return ()
        while not self._queue.empty():
            events.append(self._queue.get())
        if any(isinstance(event, NetworkChanged) for event in events):
            self._change_queued = False  # before the state is read: a later change is a new event
        return events

    def catch_signals(self) -> None:
        """Queue signals as events; for the main thread."""
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: self._queue.put(SignalReceived(number)))

    @staticmethod
    def restore_signals() -> None:
        """Let signals end the process, in any state."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def watch_network(self) -> None:
        """Queue changes of links and addresses as events, and answer questions about them."""

        def listen() -> None:
            self.interfaces.run(self._queue_change)

        Thread(
            target=_repeat_until_stopped, args=(listen, self._queue_failure, Bell()), daemon=True
        ).start()

    def query_store(self, configuration: Configuration, bell: Bell) -> None:
        """Queue the answers of the store as events, until ``bell`` is stopped."""
        store = leader.open_store(configuration.store, configuration.settings)

        def listen() -> None:
            for answer in follow(store, configuration.policy, bell, configuration.interval):
                self._queue.put(StoreAnswered(bell, answer))

        Thread(
            target=_repeat_until_stopped, args=(listen, self._queue_failure, bell), daemon=True
        ).start()

    def probe(self, probe: ConflictProbe) -> None:
        """Probe for another owner of an address, and queue the result."""

        def work() -> None:
            try:
                result = probe.run()
            except Exception as error:  # the address waits for a result in every case
                result = ProbeResult(problem=f"the probe failed: {type(error).__name__}: {error}")
            self._queue.put(ProbeFinished(probe, result))

        Thread(target=work, daemon=True).start()

    def guard(self, guard: AddressGuard) -> None:
        """Queue claims of other hosts to a guarded address."""

        def watch() -> None:
            guard.watch(lambda mac: self._queue.put(AddressClaimed(guard, mac)))

        # The address itself reports an interface that cannot be used.
        Thread(
            target=_repeat_until_stopped, args=(watch, lambda _: None, guard.bell), daemon=True
        ).start()

    def load_configuration(self, load: Load, number: int) -> None:
        """Read the configuration in a thread: a file may be a pipe, or on a disk that hangs."""

        def work() -> None:
            try:
                self._queue.put(ConfigurationLoaded(number, load()))
            except LvsdrError as error:
                self._queue.put(ConfigurationLoaded(number, error))
            except Exception as error:
                problem = LvsdrError(f"cannot read the configuration: {type(error).__name__}")
                self._queue.put(ConfigurationLoaded(number, problem))

        Thread(target=work, daemon=True).start()

    def _queue_change(self) -> None:
        """Queue one event for all changes until the next ``wait``."""
        if not self._change_queued:
            self._change_queued = True
            self._queue.put(NetworkChanged())

    def _queue_failure(self, reason: str) -> None:
        self._queue.put(ThreadFailed(reason))


def _repeat_until_stopped(
    work: Callable[[], None], report: Callable[[str], None], bell: Bell
) -> None:
    """Repeat the work after each failure, until ``bell`` is stopped."""
    while not bell.is_stopped():
        try:
            work()
        except LvsdrError as error:
            report(str(error))
        except Exception as error:
            report(f"internal error: {type(error).__name__}")
        bell.wait(_PAUSE)
