"""Queries of the endpoints of a store, each of which answers for the whole store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from ..errors import LvsdrError, SourceUnavailable
from ..system.net.first_answer import Bell, first
from ..system.net.http import Endpoint
from ..values.deadline import Deadline
from ..values.light_typing import TypeVar

T = TypeVar("T")

_MOST = 3  # unfinished queries of one endpoint


class Endpoints:
    """The endpoints of a store; the one that answered last is first in the next query."""

    def __init__(self, endpoints: Iterable[Endpoint], redacted: Callable[[str], str] = str) -> None:
        """Keep the endpoints; ``redacted`` removes secrets from the messages of a server."""
        self._order = list(endpoints)
        self._redacted = redacted
        self._lock = Lock()
        self._running = dict.fromkeys(self._order, 0)

    @property
    def best(self) -> Endpoint:
        """Return the endpoint that answered last."""
        return self._order[0]

    def ask(
        self, question: Callable[[Endpoint], T], deadline: Deadline, bell: Bell
    ) -> tuple[T, float]:
        """Return an answer, and the start of its query (seconds, monotonic clock).

        ``question`` raises SourceUnavailable without an answer.  This method raises it if all
        endpoints fail.
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
            except Exception as error:  # counts as no answer; its text may be secret
                raise SourceUnavailable(f"internal error: {type(error).__name__}") from None
            finally:
                with self._lock:
                    self._running[endpoint] -= 1

        return ask

    def _enter(self, endpoint: Endpoint) -> None:
        """Count a query; raise SourceUnavailable if too many have not ended.

        Each occupies a thread, and a resolver that hangs ignores the deadline.
        """
        with self._lock:
            if self._running[endpoint] >= _MOST:
                raise SourceUnavailable(f"{_MOST} questions before have not ended")
            self._running[endpoint] += 1
