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
from ..system.net import links
from ..system.net.first_answer import Bell
from ..values.light_typing import NamedTuple
from .address_machine import Finding
from .configuration import Configuration
from .conflict_probe import Asking
from .guarding import Guard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

_AGAIN = 1.0  # seconds until a failed thread tries again


class Heard(NamedTuple):
    """An answer of the store to the queries with this bell."""

    bell: Bell
    answer: Answer


class Changed(NamedTuple):
    """A change of a link or an address of this host."""


class Found(NamedTuple):
    """The result of a search for another owner of an address."""

    asking: Asking
    finding: Finding


class Claimed(NamedTuple):
    """A claim of another host to a guarded address."""

    guard: Guard
    mac: str


class Signalled(NamedTuple):
    """A signal to this process."""

    number: int


class Loaded(NamedTuple):
    """The current configuration, or the error that makes it unusable."""

    number: int
    result: Configuration | LvsdrError


class Broken(NamedTuple):
    """A failure of a thread, which goes on trying."""

    reason: str


if TYPE_CHECKING:
    Event = Union[Heard, Changed, Found, Claimed, Signalled, Loaded, Broken]
    Load = Callable[[], Configuration]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Events:
    """The queue of all events; any thread may add one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._changed = False

    def wait(self, seconds: float) -> Sequence[Event]:
        """Return all queued events, or none after ``seconds``."""
        try:
            events = [self._queue.get(timeout=max(seconds, 0.0))]
        except queue.Empty:
            return ()
        while not self._queue.empty():
            events.append(self._queue.get())
        if any(isinstance(event, Changed) for event in events):
            self._changed = False  # before the state is read: a later change is a new event
        return events

    def signals(self) -> None:
        """Queue signals as events; for the main thread."""
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: self._queue.put(Signalled(number)))

    @staticmethod
    def default_signals() -> None:
        """Let signals end the process, in any state."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def changes(self) -> None:
        """Queue changes of links and addresses as events."""

        def listen() -> None:
            links.listen(self._ring)

        Thread(target=_persistently, args=(listen, self._broken, Bell()), daemon=True).start()

    def answers(self, configuration: Configuration, bell: Bell) -> None:
        """Queue the answers of the store as events, until ``bell`` is stopped."""
        store = leader.open_store(configuration.store, configuration.settings)

        def listen() -> None:
            for answer in follow(store, configuration.policy, bell, configuration.interval):
                self._queue.put(Heard(bell, answer))

        Thread(target=_persistently, args=(listen, self._broken, bell), daemon=True).start()

    def ask(self, asking: Asking) -> None:
        """Search for another owner of an address, and queue the result."""

        def work() -> None:
            try:
                finding = asking.finding()
            except Exception as error:  # the holder waits for a result in every case
                finding = Finding(problem=f"cannot ask: {type(error).__name__}: {error}")
            self._queue.put(Found(asking, finding))

        Thread(target=work, daemon=True).start()

    def guard(self, guard: Guard) -> None:
        """Queue claims of other hosts to a guarded address."""

        def watch() -> None:
            guard.watch(lambda mac: self._queue.put(Claimed(guard, mac)))

        # The holder of the address reports an interface that cannot be used.
        Thread(target=_persistently, args=(watch, lambda _: None, guard.bell), daemon=True).start()

    def load(self, load: Load, number: int) -> None:
        """Read the configuration in a thread: a file may be a pipe, or on a disk that hangs."""

        def work() -> None:
            try:
                self._queue.put(Loaded(number, load()))
            except LvsdrError as error:
                self._queue.put(Loaded(number, error))
            except Exception as error:
                problem = LvsdrError(f"cannot be read: {type(error).__name__}")
                self._queue.put(Loaded(number, problem))

        Thread(target=work, daemon=True).start()

    def _ring(self) -> None:
        """Queue one event for all changes until the next ``wait``."""
        if not self._changed:
            self._changed = True
            self._queue.put(Changed())

    def _broken(self, reason: str) -> None:
        self._queue.put(Broken(reason))


def _persistently(work: Callable[[], None], broken: Callable[[str], None], bell: Bell) -> None:
    """Repeat the work whenever it fails, until ``bell`` is stopped."""
    while not bell.stopped():
        try:
            work()
        except LvsdrError as error:
            broken(str(error))
        except Exception as error:
            broken(f"internal error: {type(error).__name__}")
        bell.wait(_AGAIN)
