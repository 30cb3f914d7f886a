"""The endpoints of a store: their notation, and queries that try one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock

from ..errors import LvsdrError, SourceUnavailable
from ..system.net.first_answer import Bell, find_first_answer
from ..system.net.http import Endpoint
from ..values.deadline import Deadline
from ..values.light_typing import TypeVar
from ..values.parsing import canonical_address, is_decimal, is_host

T = TypeVar("T")

_MOST_QUERIES = 3  # unfinished queries of one endpoint
_SCHEMES = {"http": False, "https": True}
_SECRET_SIGNS = frozenset("#=&;%\\")  # signs of a text that may contain a password, such as a query


class Endpoints:
    """The endpoints of a store, each of which answers for the whole store.

    The endpoint that answered last is first in the next query.
    """

    def __init__(self, endpoints: Iterable[Endpoint], redact: Callable[[str], str] = str) -> None:
        """Keep the endpoints; ``redact`` removes secrets from the messages of a server."""
        self._order = list(endpoints)
        self._redact = redact
        self._lock = Lock()
        self._running = dict.fromkeys(self._order, 0)

    @property
    def best(self) -> Endpoint:
        """Return the endpoint that answered last."""
        return self._order[0]

    def query_first(
        self, query: Callable[[Endpoint], T], deadline: Deadline, bell: Bell
    ) -> tuple[T, float]:
        """Return an answer, and the start of its query (seconds, monotonic clock).

        ``query`` raises SourceUnavailable without an answer.  This method raises it if all
        endpoints fail.
        """
        attempts = [(str(endpoint), self._bind_query(query, endpoint)) for endpoint in self._order]
        try:
            index, answer, queried_at = find_first_answer(attempts, deadline, bell)
        except SourceUnavailable as error:
            raise SourceUnavailable(self._redact(str(error))) from None
        self._order.insert(0, self._order.pop(index))
        return answer, queried_at

    def _bind_query(self, query: Callable[[Endpoint], T], endpoint: Endpoint) -> Callable[[], T]:
        def run_query() -> T:
            self._count_query(endpoint)
            try:
                return query(endpoint)
            except LvsdrError:
                raise
            except Exception as error:  # counts as no answer; its text may be secret
                raise SourceUnavailable(f"internal error: {type(error).__name__}") from None
            finally:
                with self._lock:
                    self._running[endpoint] -= 1

        return run_query

    def _count_query(self, endpoint: Endpoint) -> None:
        """Count a query; raise SourceUnavailable if too many have not ended.

        Each occupies a thread, and a resolver that hangs ignores the deadline.
        """
        with self._lock:
            if self._running[endpoint] >= _MOST_QUERIES:
                raise SourceUnavailable(f"{_MOST_QUERIES} earlier queries have not ended")
            self._running[endpoint] += 1


def parse_endpoints(text: str, port: int, tls: bool = False) -> tuple[Endpoint, ...]:
    """Parse a list of endpoints, separated by commas or white space.

    ``port`` and ``tls`` are the defaults for endpoints without them.  Raises ValueError with the
    problem and, if it is safe to show, the endpoint.

    >>> [str(each) for each in parse_endpoints("10.0.0.1, https://[fd77::1]:4001/ node2", 2379)]
    ['http://10.0.0.1:2379', 'https://[fd77::1]:4001', 'http://node2:2379']
    """
    # Commas and slashes of a password would be read as separators, so no part is shown.
    if "@" in text:
        raise ValueError("an endpoint has no user and password in it")
    endpoints = [_parse_endpoint(word, port, tls) for word in text.replace(",", " ").split()]
    if not endpoints:
        raise ValueError("it contains no endpoint")
    return tuple(dict.fromkeys(endpoints))


def _parse_endpoint(text: str, port: int, tls: bool) -> Endpoint:
    if _SECRET_SIGNS.intersection(text):
        raise ValueError("an endpoint is a scheme, a host and a port, and nothing more")
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme.lower() not in _SCHEMES:
        raise ValueError(f"{text} is neither http:// nor https://")
    rest, slash, path = rest.partition("/")
    if slash and path:
        raise ValueError(f"{text} has a path")
    host, port_part = _split_host(rest, text)
    if not is_host(host):
        raise ValueError(f"{host or text} is no host")
    uses_tls = _SCHEMES[scheme.lower()] if separator else tls
    return Endpoint(
        canonical_address(host) or host,
        _parse_port(port_part, text) if port_part else port,
        uses_tls,
    )


def _split_host(rest: str, text: str) -> tuple[str, str]:
    """Return the host and the text after it."""
    if rest.startswith("["):
        host, bracket, port_part = rest[1:].partition("]")
        if not bracket or ":" not in host:
            raise ValueError(f"{text} has brackets, but no IPv6 address between them")
        return host, port_part
    if rest.count(":") > 1:
        raise ValueError(f"{text}: an IPv6 address goes in brackets")
    host, colon, port_part = rest.partition(":")
    return host, colon + port_part


def _parse_port(port_part: str, text: str) -> int:
    digits = port_part[1:]
    if port_part[0] != ":" or not is_decimal(digits, 5):
        raise ValueError(f"{text} has no port after its colon")
    if not 1 <= int(digits) <= 65535:
        raise ValueError(f"{text}: a port is a number from 1 to 65535")
    return int(digits)
