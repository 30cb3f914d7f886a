"""The endpoints of a store, each of which answers for the whole store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from ..deadline import Deadline
from ..errors import LvsdrError, SourceUnavailable
from ..system.http import Endpoint
from ..system.race import Bell, first
from ..typed import TypeVar

T = TypeVar("T")

_MOST = 3  # questions at a time to one endpoint


class Endpoints:
    """Asked until one answers; that one is the first to be asked the next time."""

    def __init__(self, endpoints: Iterable[Endpoint], redacted: Callable[[str], str] = str) -> None:
        """``redacted`` takes secrets out of what a server complains of."""
        self._order = list(endpoints)
        self._redacted = redacted
        self._lock = Lock()
        self._running = dict.fromkeys(self._order, 0)

    @property
    def best(self) -> Endpoint:
        """The one that answered last."""
        return self._order[0]

    def ask(
        self, question: Callable[[Endpoint], T], deadline: Deadline, bell: Bell
    ) -> tuple[T, float]:
        """An answer, and when it was asked for (seconds, monotonic clock).

        ``question`` raises SourceUnavailable where it gets none; so does this if all do.
        """
        attempts = [(str(endpoint), self._bound(question, endpoint)) for endpoint in self._order]
        try:
            index, answer, asked = first(attempts, deadline, bell)
        except SourceUnavailable as error:
            raise SourceUnavailable(self._redacted(str(error))) from None
        self._order.insert(0, self._order.pop(index))
        return answer, asked

    def _bound(self, question: Callable[[Endpoint], T], endpoint: Endpoint) -> Callable[[], T]:
        def ask() -> T:
            self._enter(endpoint)
            try:
                return question(endpoint)
            except LvsdrError:
                raise
            except Exception as error:  # what nothing foresaw is no answer; its text may be secret
                raise SourceUnavailable(f"internal error: {type(error).__name__}") from None
            finally:
                with self._lock:
                    self._running[endpoint] -= 1

        return ask

    def _enter(self, endpoint: Endpoint) -> None:
        """Count a question; raises SourceUnavailable if too many have not ended.

        Each is a thread, and a resolver that hangs heeds no deadline.
        """
        with self._lock:
            if self._running[endpoint] >= _MOST:
                raise SourceUnavailable(f"{_MOST} questions before have not ended")
            self._running[endpoint] += 1
