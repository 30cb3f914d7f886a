"""What the daemon waits for, and the threads that bring it."""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Sequence
from threading import Thread

from .. import leader
from ..errors import LvsdrError
from ..gate import Answer
from ..leader.following import follow
from ..system import links
from ..system.race import Bell
from ..typed import NamedTuple
from .configuration import Configuration
from .guarding import Guard
from .keeping import Finding
from .looking import Asking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

_AGAIN = 1.0  # seconds until a thread that failed tries once more


class Heard(NamedTuple):
    """An answer of the store, to those who ask with this bell."""

    bell: Bell
    answer: Answer


class Changed(NamedTuple):
    """A link or an address of this host."""


class Found(NamedTuple):
    """Who else has an address."""

    asking: Asking
    finding: Finding


class Claimed(NamedTuple):
    """Another host claims an address that is guarded."""

    guard: Guard
    mac: str


class Signalled(NamedTuple):
    """A signal has come."""

    number: int


class Loaded(NamedTuple):
    """The configuration as it is now, or the error that makes it unusable."""

    number: int
    result: Configuration | LvsdrError


class Broken(NamedTuple):
    """A thread cannot do what it is for; it goes on trying."""

    reason: str


if TYPE_CHECKING:
    Event = Union[Heard, Changed, Found, Claimed, Signalled, Loaded, Broken]
    Load = Callable[[], Configuration]

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Events:
    """The one place where all of them come in; any thread may put one there."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._changed = False

    def wait(self, seconds: float) -> Sequence[Event]:
        """All that have come, or none after so long."""
        try:
            events = [self._queue.get(timeout=max(seconds, 0.0))]
        except queue.Empty:
            return ()
        while not self._queue.empty():
            events.append(self._queue.get())
        if any(isinstance(event, Changed) for event in events):
            self._changed = False  # before anybody looks: what changes from now on is news
        return events

    def signals(self) -> None:
        """Let signals come here; for the main thread."""
        for number in SIGNALS:
            signal.signal(number, lambda number, _frame: self._queue.put(Signalled(number)))

    @staticmethod
    def default_signals() -> None:
        """Let signals end the process, whatever it waits for."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def changes(self) -> None:
        """Let changes of links and addresses come here."""

        def listen() -> None:
            links.listen(self._ring)

        Thread(target=_persistently, args=(listen, self._broken, Bell()), daemon=True).start()

    def answers(self, configuration: Configuration, bell: Bell) -> None:
        """Let the answers of the store come here, until ``bell`` says stop."""
        store = leader.open_store(configuration.store, configuration.settings)

        def listen() -> None:
            for answer in follow(store, configuration.policy, bell, configuration.interval):
                self._queue.put(Heard(bell, answer))

        Thread(target=_persistently, args=(listen, self._broken, bell), daemon=True).start()

    def ask(self, asking: Asking) -> None:
        """Let it be known here who else has an address."""

        def work() -> None:
            try:
                finding = asking.finding()
            except Exception as error:  # whoever waits for an answer gets one
                finding = Finding(problem=f"cannot ask: {type(error).__name__}: {error}")
            self._queue.put(Found(asking, finding))

        Thread(target=work, daemon=True).start()

    def guard(self, guard: Guard) -> None:
        """Let claims of other hosts to a guarded address come here."""

        def watch() -> None:
            guard.watch(lambda mac: self._queue.put(Claimed(guard, mac)))

        # An interface that cannot be listened at is reported by the holder of the address.
        Thread(target=_persistently, args=(watch, lambda _: None, guard.bell), daemon=True).start()

    def load(self, load: Load, number: int) -> None:
        """Read the configuration: files may be on a disk, or be pipes, that do not answer."""

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
        """However much changes, once is enough until somebody looks."""
        if not self._changed:
            self._changed = True
            self._queue.put(Changed())

    def _broken(self, reason: str) -> None:
        self._queue.put(Broken(reason))


def _persistently(work: Callable[[], None], broken: Callable[[str], None], bell: Bell) -> None:
    """Do it again whenever it fails, until ``bell`` says stop."""
    while not bell.stopped():
        try:
            work()
        except LvsdrError as error:
            broken(str(error))
        except Exception as error:
            broken(f"internal error: {type(error).__name__}")
        bell.wait(_AGAIN)
