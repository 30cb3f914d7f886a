"""The store etcd, API version 3, through the JSON gateway of its members (etcd 3.4 or later).

A read is linearizable: a member that is cut off from the others gives no answer instead of an old
one.  A watch is only a signal.  It begins right after the revision of the last read, so that no
change is missed.  It requires a leader, so that it ends when there is none.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from time import monotonic

from ..errors import SourceUnavailable
from ..system.net.first_answer import Bell, find_first_answer
from ..system.net.http import Endpoint, Request, Response, exchange, stream_lines
from ..values.deadline import Deadline
from ..values.light_typing import NamedTuple
from .decoding import (
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KIND = Kind(
    port=2379,
    parse_key=require_key,
    parse_value=use_node_name,
    credentials=frozenset({"user", "password"}),
)

# This header makes a member without a leader fail at once (etcd: rpctypes/md.go).
_LEADER_REQUIRED = {"Grpc-Metadata-hasleader": "true"}
_UNAUTHENTICATED = 16  # gRPC's status codes
_OLD_TOKEN = (
    "etcdserver: invalid auth token",
    "etcdserver: user name is empty",
    "etcdserver: revision of auth store is old",
)
_NO_PASSWORDS = "etcdserver: authentication is not enabled"


class RangeResult(NamedTuple):
    """The value of a key, None without the key, and the revision of the store."""

    value: bytes | None
    revision: int


class Etcd:
    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._endpoints = Endpoints(settings.endpoints, settings.redact)
        self._token = ""
        self._revision: int | None = None

    def look(self, deadline: Deadline, bell: Bell) -> Answer:
        def query(endpoint: Endpoint) -> RangeResult:
            return parse_range(self._read_range(endpoint, deadline), self._settings.key)

        self._revision = None
        result, queried_at = self._endpoints.query_first(query, deadline, bell)
        self._revision = result.revision
        return Answer(judge_leadership(result.value, self._settings), queried_at, monotonic())

    def wait(self, deadline: Deadline, bell: Bell) -> None:
        if self._revision is None:
            raise SourceUnavailable("there is no revision to watch from")
        request = build_watch_request(self._settings.key, self._revision + 1, self._token)
        endpoint = self._endpoints.best

        def watch_key() -> bool:
            return any(
                map(reports_change, stream_lines(endpoint, request, self._settings.trust, deadline))
            )

        try:
            changed = find_first_answer([(str(endpoint), watch_key)], deadline, bell)[1]
        except SourceUnavailable:
            if deadline.is_expired() or bell.is_stopped():
                return
            raise
        if not changed:
            raise SourceUnavailable(f"{endpoint} ended the watch")

    def _read_range(self, endpoint: Endpoint, deadline: Deadline) -> Mapping[str, Any]:
        """Return the document for the key, after an authentication if needed."""
        old_token = self._token
        if self._settings.user and not old_token:
            self._authenticate(endpoint, deadline)
        response = self._post(
            endpoint, build_range_request(self._settings.key, self._token), deadline
        )
        if old_token and is_old_token(response):
            self._authenticate(endpoint, deadline)
            response = self._post(
                endpoint, build_range_request(self._settings.key, self._token), deadline
            )
        return parse_response(response)

    def _authenticate(self, endpoint: Endpoint, deadline: Deadline) -> None:
        """Get a new token: tokens expire, and a restarted member forgets them."""
        user, password = self._settings.user or "", self._settings.password.reveal()
        response = self._post(endpoint, build_login_request(user, password), deadline)
        self._token = "" if extract_error(response) == _NO_PASSWORDS else parse_token(response)

    def _post(self, endpoint: Endpoint, request: Request, deadline: Deadline) -> Response:
        return exchange(endpoint, request, self._settings.trust, deadline)


def open_store(settings: StoreSettings) -> Etcd:
    return Etcd(settings)


def _build_request(path: str, document: object, token: str = "") -> Request:
    headers = {**_LEADER_REQUIRED, "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = token
    return Request("POST", path, json.dumps(document).encode(), headers)


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode()


def build_range_request(key: str, token: str = "") -> Request:
    """Build the request for one key; not serializable, so the member must query the others."""
    return _build_request("/v3/kv/range", {"key": _encode(key)}, token)


def build_login_request(user: str, password: str) -> Request:
    return _build_request("/v3/auth/authenticate", {"name": user, "password": password})


def build_watch_request(key: str, revision: int, token: str = "") -> Request:
    """Build the request for all changes of a key from ``revision`` on."""
    create = {"key": _encode(key), "start_revision": str(revision)}
    return _build_request("/v3/watch", {"create_request": create}, token)


def parse_response(response: Response) -> Mapping[str, Any]:
    """Return the document of an answer; raise SourceUnavailable if it is not etcd's."""
    if response.status != 200:
        raise SourceUnavailable(f"answered {response.status}: {extract_error(response)}")
    document = require_object(parse_json(response.body), "a document")
    if not isinstance(document.get("header"), dict) or "revision" not in document["header"]:
        raise Malformed("answered with a document that is not from etcd")
    return document


def parse_token(response: Response) -> str:
    token = require_text(parse_response(response).get("token", ""), "a token")
    if not token.isascii() or not token.isprintable():
        raise Malformed("answered with a token that cannot be sent")
    return token


def extract_error(response: Response) -> str:
    """Return the error message of an answer; an error on a stream is wrapped once more."""
    document = _parse_leniently(response.body)
    error = document.get("error")
    message = error.get("message") if isinstance(error, dict) else document.get("message") or error
    text = message if isinstance(message, str) else response.body.decode("utf-8", "replace")
    return text.strip()[:200]


def is_old_token(response: Response) -> bool:
    code = _parse_leniently(response.body).get("code")
    return code == _UNAUTHENTICATED or extract_error(response) in _OLD_TOKEN


def parse_range(document: Mapping[str, Any], key: str) -> RangeResult:
    """Return the entry for the key in a document; raise Malformed."""
    revision = require_number(
        require_object(document["header"], "a header")["revision"], "a revision", quoted=True
    )
    entry = require_single(document.get("kvs", []), "kvs")
    if entry is None:
        return RangeResult(None, revision)
    entry = require_object(entry, "an entry")
    if "key" in entry and decode_base64(entry["key"], "a key") != key.encode():
        raise Malformed("answered with another key")
    return RangeResult(decode_base64(entry.get("value", ""), "a value"), revision)


def judge_leadership(value: bytes | None, settings: StoreSettings) -> Leadership:
    """Return the leadership of this node by the value of the key; None: the key is missing."""
    if not value:
        flaw = "does not exist" if value is None else "is empty"
        return Leadership(State.NO_LEADER, f"{settings.key} {flaw} in etcd")
    leader = value.decode("utf-8", "replace")
    state = State.LEADER if value == settings.value.encode() else State.FOLLOWER
    return Leadership(state, f"{settings.key} is {leader} in etcd", leader)


def reports_change(line: Response) -> bool:
    """Return whether a line of a watch reports a change; its first line reports none.

    A watch from a revision that was compacted is cancelled, with the oldest revision left.  That
    counts as a change.  Raises SourceUnavailable for any other end.
    """
    if line.status != 200:
        raise SourceUnavailable(f"answered {line.status}: {extract_error(line)}")
    result = require_object(parse_json(line.body), "a line").get("result")
    if not isinstance(result, dict):
        raise SourceUnavailable(f"ended the watch: {extract_error(line)}")
    if result.get("canceled") and "compact_revision" not in result:
        raise SourceUnavailable(
            f"ended the watch: {result.get('cancel_reason', 'no reason given')}"
        )
    return bool(result.get("events")) or bool(result.get("canceled"))


def _parse_leniently(body: bytes) -> dict[str, Any]:
    """Return the object in a body; an empty one for any other content."""
    try:
        return require_object(parse_json(body), "a document")
    except Malformed:
        return {}
