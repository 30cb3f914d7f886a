"""A server with one key of Consul's key/value store, as Consul's documentation describes it.

It also gives answers that real servers never give. Its behaviour follows the documentation of the
HTTP API: "KV Store Endpoints" (the entry, LockIndex, Session, 404), "Blocking Queries" (index,
wait, a sixteenth of it on top, indexes that go backwards or are 0), "Consistency Modes"
(consistent, the headers X-Consul-KnownLeader and X-Consul-Effective-Consistency) and "HTTP API
Structure" (X-Consul-Token, 403). The cases in tests/cases/consul_cases.py run here and on the real
servers.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

MOST_WAIT = 600.0  # seconds; "This is limited to 10 minutes"
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0}


class Consul:
    """The servers and their agent, in one. Every attribute may be changed at any time."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.port = 0
        """Port of the loopback interface, while it is served."""
        self.index = 10
        self.entry: dict[str, object] | None = None
        self.token: str | None = None
        """Token that clients need for reading."""
        self.leader = True
        """True if the servers have a leader among them."""
        self.headers: dict[str, str] = {}
        """Headers that replace the right ones in answers."""
        self.questions: list[dict[str, str]] = []
        """The parameters of every request so far."""
        self._changed = threading.Condition()
        self._closed = False
        self._held = 0

    # --- actions of Consul's clients

    def put(self, value: str) -> None:
        """Write the value without a lock."""
        with self._changed:
            created = self.entry["CreateIndex"] if self.entry else self.index + 1
            lock = self.entry["LockIndex"] if self.entry else 0
            self._write(created, value, lock, self.entry.get("Session") if self.entry else None)

    def acquire(self, session: str, value: str) -> None:
        """Take the lock and write the value, as a session."""
        with self._changed:
            created = self.entry["CreateIndex"] if self.entry else self.index + 1
            lock = self.entry["LockIndex"] if self.entry else 0
            assert isinstance(lock, int)
            self._write(created, value, lock + 1, session)

    def release(self) -> None:
        """Release the lock, or let its session end: the value stays."""
        with self._changed:
            assert self.entry is not None
            self.entry.pop("Session")
            self._touch()

    def end_session(self) -> None:
        """End the session that holds the lock, which releases it."""
        self.release()

    def delete(self) -> None:
        """Delete the key."""
        with self._changed:
            self.entry = None
            self.index += 1
            self._changed.notify_all()

    def snapshot(self) -> object:
        """Return a copy of the entry, which has its index."""
        assert self.entry is not None
        return dict(self.entry)

    def restore(self, snapshot: object) -> None:
        """Restore an older entry: indexes go backwards, and no wait ends."""
        assert isinstance(snapshot, dict)
        with self._changed:
            self.entry = dict(snapshot)
            self.index = int(snapshot["ModifyIndex"])

    def require(self, token: str) -> None:
        """Let only clients that send this token read the key."""
        self.token = token

    def held(self) -> int:
        """Return the number of requests that wait for an answer."""
        return self._held

    def lose_leader(self) -> None:
        """Leave the servers without a leader."""
        with self._changed:
            self.leader = False
            self._changed.notify_all()

    def mend(self) -> None:
        """Let the servers elect a leader."""
        self.leader = True

    def _write(self, created: object, value: str, lock: object, session: object) -> None:
        self.entry = {
            "LockIndex": lock,
            "Key": self.key,
            "Flags": 0,
            "Value": b64encode(value.encode()).decode(),
            "CreateIndex": created,
        }
        if session is not None:
            self.entry["Session"] = session
        self._touch()

    def _touch(self) -> None:
        self.index += 1
        assert self.entry is not None
        self.entry["ModifyIndex"] = self.index
        self._changed.notify_all()

    # --- answers of the HTTP API

    def answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of a GET; block as long as it requests."""
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query, True).items()}
        self.questions.append(asked)
        if url.path != f"/v1/kv/{self.key}":
            return 404, {}, b"404 page not found"
        if self.token is not None and token != self.token:
            return 403, {}, b"ACL not found" if token else b"Permission denied"
        self._block(int(asked.get("index", "0")), asked.get("wait", "5m"))
        if not self.leader and "stale" not in asked:
            return 500, {}, b"No cluster leader"
        with self._changed:
            entry = dict(self.entry) if self.entry else None
            index = entry["ModifyIndex"] if entry else self.index
        mode = "consistent" if "consistent" in asked else "leader"
        headers = {
            "X-Consul-Index": str(index),
            "X-Consul-KnownLeader": "true",
            "X-Consul-LastContact": "0",
            "X-Consul-Effective-Consistency": mode,
            **self.headers,
        }
        return (200, headers, json.dumps([entry]).encode()) if entry else (404, headers, b"")

    def _block(self, index: int, wait: str) -> None:
        """Hold a request back until the state is newer than ``index``; 0 never blocks."""
        if index == 0:
            return
        number, unit = re.fullmatch(r"(\d+)(ms|s|m)", wait).groups()  # type: ignore[union-attr]
        seconds = min(int(number) * _UNITS[unit], MOST_WAIT) * 17 / 16
        with self._changed:
            self._held += 1
            self._changed.wait_for(lambda: self._over(index), seconds)
            self._held -= 1

    def _over(self, index: int) -> bool:
        current = self.entry["ModifyIndex"] if self.entry else self.index
        assert isinstance(current, int)
        return current > index or not self.leader or self._closed

    def close(self) -> None:
        """End all requests that are held back."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, consul: Consul) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.consul = consul


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        answer = self.server.consul.answer(self.path, self.headers.get("X-Consul-Token"))
        status, headers, body = answer
        try:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            return  # the client has gone

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002
        """Suppress the log."""


@contextmanager
def serving(consul: Consul) -> Iterator[int]:
    """Serve the store on a port of the loopback interface, and yield the port."""
    server = _Server(consul)
    consul.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        consul.close()
        server.shutdown()
        thread.join(5)
        server.server_close()
