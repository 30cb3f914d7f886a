"""Consul's key/value store, read consistently (Consul: HTTP API, "KV Store Endpoints").

Consul can delay an answer until the key changes ("Blocking Queries").  Such a query is only a
signal.  It begins at the index of the latest ordinary read.  So an index that decreased, as after
the restoration of a snapshot, is replaced by the next read.
"""

from __future__ import annotations

from time import monotonic
from urllib.parse import quote

from ..errors import SourceUnavailable
from ..system.net.first_answer import Bell, find_first_answer
from ..system.net.http import Endpoint, Request, Response, exchange
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from ..values.parsing import is_decimal
from .decoding import (
    LONGEST_NUMBER,
    Malformed,
    decode_base64,
    parse_json,
    require_number,
    require_object,
    require_single,
    require_text,
)
from .endpoints import Endpoints
from .gate import Answer, Leadership, State
from .settings import Kind, StoreSettings, require_key, use_node_name


def _parse_key(text: str | None) -> str:
    """Return a key without leading and trailing slashes: Consul's keys begin without one."""
    return require_key((text or "").strip("/") or None)


KIND = Kind(
    port=8500,
    parse_key=_parse_key,
    parse_value=use_node_name,
    credentials=frozenset({"token"}),
)

_JITTER = 16 / 17  # Consul adds up to a sixteenth to the requested wait
_SHORTEST_WAIT = 0.01


class Entry(NamedTuple):
    """A key's value, and its lock."""

    value: bytes
    lock_count: int
    """The number of times the key was locked."""
    session: str
    """The session that holds the lock; empty without one."""


class ReadResult(NamedTuple):
    """The entry for the key, None without one, and Consul's index of this state."""

    entry: Entry | None
    store_index: int


class Consul:
    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints(settings.endpoints, settings.redact)
        self._index: int | None = None

    def look(self, deadline: Deadline, bell: Bell) -> Answer:
        request = build_read_request(self._settings)

        def query(endpoint: Endpoint) -> ReadResult:
            return self._read(endpoint, request, deadline)

        self._index = None
        result, queried_at = self._endpoints.query_first(query, deadline, bell)
        self._index = result.store_index
        return Answer(judge_leadership(result.entry, self._settings), queried_at, monotonic())

    def wait(self, deadline: Deadline, bell: Bell) -> None:
        if self._index is None:
            raise SourceUnavailable("there is no index to wait from")
        request = build_read_request(self._settings, self._index, deadline.remaining())
        endpoint = self._endpoints.best

        def listen() -> ReadResult:
            return self._read(endpoint, request, deadline)

        try:
            find_first_answer([(str(endpoint), listen)], deadline, bell)
        except SourceUnavailable:
            if not (deadline.is_expired() or bell.is_stopped()):
                raise

    def _read(self, endpoint: Endpoint, request: Request, deadline: Deadline) -> ReadResult:
        response = exchange(endpoint, request, self._settings.trust, deadline)
        return parse_response(response, self._settings.key)


def open_store(settings: StoreSettings) -> Consul:
    return Consul(settings)


def build_read_request(
    settings: StoreSettings, index: int | None = None, seconds: float = 0.0
) -> Request:
    """Build the request for the key; with an ``index``, the answer waits for a change.

    Without a change, the answer arrives after ``seconds``.
    """
    path = f"/v1/kv/{quote(settings.key)}?consistent"
    if index is not None:
        wait = max(seconds * _JITTER, _SHORTEST_WAIT)
        path += f"&index={index}&wait={wait * 1000:.0f}ms"
    token = settings.token.reveal()
    return Request("GET", path, headers={"X-Consul-Token": token} if token else {})


def parse_response(response: Response, key: str) -> ReadResult:
    """Return the content of an answer; raise SourceUnavailable unless it is consistent.

    Answers of another server than Consul raise it, too.
    """
    status, headers, body = response
    if status not in (200, 404) or "x-consul-index" not in headers:
        content = body.decode("utf-8", "replace").strip()[:200]
        raise SourceUnavailable(f"answered {status}: {content or 'nothing'}")
    if headers.get("x-consul-knownleader") == "false":
        raise SourceUnavailable("reports that the Consul servers have no leader")
    if headers.get("x-consul-effective-consistency") == "stale":
        raise SourceUnavailable("answered with possibly outdated data")
    return ReadResult(
        _parse_entry(body, key) if status == 200 else None, _parse_index(headers["x-consul-index"])
    )


def _parse_entry(body: bytes, key: str) -> Entry:
    document = require_object(require_single(parse_json(body), "a document"), "an entry")
    if require_text(document.get("Key", key), "a key") != key:
        raise Malformed("answered with another key")
    value, session = document.get("Value"), document.get("Session")
    return Entry(
        b"" if value is None else decode_base64(value, "a value"),
        require_number(document.get("LockIndex", 0), "a LockIndex"),
        "" if session is None else require_text(session, "a session"),
    )


def _parse_index(text: str) -> int:
    """Return an index of at least 1, as Consul requires of clients: with 0 it would not wait."""
    return max(1, int(text)) if is_decimal(text, LONGEST_NUMBER) else 1


def judge_leadership(entry: Entry | None, settings: StoreSettings) -> Leadership:
    """Return the leadership of this node by the entry for the key.

    A lock keeps the value of its last holder after its release, or after the end of the session.
    """
    if entry is None:
        return Leadership(State.NO_LEADER, f"{settings.key} does not exist in Consul")
    if entry.lock_count and not entry.session:
        return Leadership(State.NO_LEADER, f"no session holds the lock {settings.key} in Consul")
    if not entry.value:
        return Leadership(State.NO_LEADER, f"{settings.key} is empty in Consul")
    leader = entry.value.decode("utf-8", "replace")
    state = State.LEADER if entry.value == settings.value.encode() else State.FOLLOWER
    return Leadership(state, f"{settings.key} is {leader} in Consul", leader)
