"""A client that connects at a fixed rate, and whose connections end after one query."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
import time
from typing import NamedTuple

from tests.bench.peers import wire
from tests.lab.host import Host

_STEP = 0.01  # seconds: the longest delay of a new connection


class Attempt(NamedTuple):
    """A new connection: its begin and end in monotonic seconds, and the server that answered.

    If no server answered, `server` is empty and `error` contains the reason.
    """

    began: float
    ended: float
    server: str
    error: str = ""


class _Pending:
    """A connection whose answer is awaited."""

    def __init__(self, address: tuple[str, int], message: bytes) -> None:
        self.began = time.monotonic()
        self.unsent = message
        self.received = b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.begun = self.socket.connect_ex(address)

    def advance(self) -> str | None:
        """Send and read. Return the server's name once it is known. Raises OSError or Denied."""
        if self.unsent:
            code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            self.socket.sendall(self.unsent)
            self.unsent = b""
            return None
        chunk = self.socket.recv(4096)
        self.received += chunk
        name = wire.first_value(self.received)
        if name is None and not chunk:
            raise wire.Denied("the connection has ended")
        return name

    def end(self, server: str = "", error: str = "") -> Attempt:
        """Close the connection and return its result."""
        with contextlib.suppress(OSError):
            if server:
                self.socket.sendall(wire.TERMINATE)
        self.socket.close()
        return Attempt(self.began, time.monotonic(), server, error)


class SteadyClient:
    """New connections from a host at a fixed rate, in a thread, until the end of a `with`."""

    def __init__(self, host: Host, address: str, port: int, user: str, rate: float) -> None:
        self._host, self._address, self._interval = host, (address, port), 1 / rate
        self._message = wire.login(user, "postgres") + wire.query(wire.NAME)
        self._done = threading.Event()
        self._open: set[_Pending] = set()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="client", daemon=True)
        self.attempts: list[Attempt] = []

    def __enter__(self) -> SteadyClient:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the client; connections that are still open are awaited."""
        self._done.set()
        self._thread.join()
        self._selector.close()

    def _run(self) -> None:
        with self._host.entered():
            due = time.monotonic()
            while not self._done.is_set() or self._open:
                if not self._done.is_set() and time.monotonic() >= due:
                    due += self._interval
                    self._begin()
                self._serve()
                self._expire()

    def _begin(self) -> None:
        pending = _Pending(self._address, self._message)
        if pending.begun not in (0, errno.EINPROGRESS):
            self.attempts.append(pending.end(error=os.strerror(pending.begun)))
            return
        self._open.add(pending)
        self._selector.register(pending.socket, selectors.EVENT_WRITE, pending)

    def _serve(self) -> None:
        for key, _ in self._selector.select(_STEP):
            pending: _Pending = key.data
            try:
                server = pending.advance()
            except (OSError, wire.Denied) as error:
                self._end(pending, error=str(error))
                continue
            if server is not None:
                self._end(pending, server)
            else:
                self._selector.modify(pending.socket, selectors.EVENT_READ, pending)

    def _expire(self) -> None:
        now = time.monotonic()
        for pending in [one for one in self._open if now - one.began > wire.PATIENCE]:
            self._end(pending, error=f"no answer within {wire.PATIENCE:g} s")

    def _end(self, pending: _Pending, server: str = "", error: str = "") -> None:
        self._selector.unregister(pending.socket)
        self._open.remove(pending)
        self.attempts.append(pending.end(server, error))
