"""Service of the clients of a listening socket by one thread; no client delays another."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from .line_server import is_permitted
from .listeners import Listener

_CLIENT_SECONDS = 5.0  # seconds in all for one client
_MOST_CLIENTS = 32
_LONGEST_REQUEST = 8192  # bytes of a request
_ENDS = (b"\r\n\r\n", b"\n\n")
_PIECE = 65536
_TICK = 0.5  # seconds; also the pause after clients could not be accepted
_READ, _WRITE = select.POLLIN, select.POLLOUT

Answer = Callable[["Client"], "bytes | None"]


class Client:
    """A connected client, its request and its answer."""

    def __init__(self, wire: socket.socket) -> None:
        self.wire = wire
        self.request = b""
        self.complete = False
        """True once the whole request has arrived."""
        self.answer: memoryview | None = None
        """The rest of the answer, still to be sent."""
        self.expires = time.monotonic() + _CLIENT_SECONDS
        wire.setblocking(False)

    def read(self) -> None:
        """Receive the next part of the request; raise OSError."""
        piece = self.wire.recv(_LONGEST_REQUEST)
        self.request += piece
        is_whole = self.request.endswith(_ENDS) or len(self.request) >= _LONGEST_REQUEST
        self.complete = not piece or is_whole

    def write(self) -> bool:
        """Send the next part of the answer; return whether all is sent.  Raise OSError."""
        if self.answer:
            self.answer = self.answer[self.wire.send(self.answer[:_PIECE]) :]
        return not self.answer


def serve_unix(listener: Listener, answer: Callable[[], bytes]) -> None:
    """Send ``answer()`` to each client of root or this user, until the listener is closed."""

    def reply(client: Client) -> bytes | None:
        return answer() if is_permitted(client.wire) else b""

    Thread(target=serve_clients, args=(listener, reply), daemon=True).start()


def serve_http(listener: Listener, path: str, answer: Callable[[], bytes]) -> None:
    """Serve GET of ``path`` over HTTP in the same way; the answer is plain text."""

    def reply(client: Client) -> bytes | None:
        return build_http_response(client.request, path, answer) if client.complete else None

    Thread(target=serve_clients, args=(listener, reply), daemon=True).start()


def build_http_response(request: bytes, path: str, answer: Callable[[], bytes]) -> bytes:
    """Return the whole answer to a request; the connection ends after it (RFC 9112)."""
    words = request.split(b"\n", 1)[0].split()
    if len(words) != 3 or words[0] not in (b"GET", b"HEAD"):
        status, body = "400 Bad Request", b"only GET is understood\n"
    elif words[1].split(b"?")[0] != path.encode():
        status, body = "404 Not Found", f"there is only {path}\n".encode()
    else:
        status, body = "200 OK", answer()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if words[:1] == [b"HEAD"] else body)


def serve_clients(listener: Listener, answer: Answer) -> None:
    """Answer clients until the listener is closed; blocks its thread.

    ``answer`` returns None while it needs more of the request.  A client has 5 s in all.  The
    oldest client of more than 32 is dropped.
    """
    _ClientService(listener, answer).run()


class _ClientService:
    def __init__(self, listener: Listener, answer: Answer) -> None:
        self._listener = listener
        self._answer = answer
        self._clients: dict[int, Client] = {}
        self._poller = select.poll()
        self._accept_again_at: float | None = None

    def run(self) -> None:
        self._listener.wire.setblocking(False)
        listener_fd = self._listener.wire.fileno()
        self._poller.register(listener_fd, _READ)
        while not self._listener.is_closed():
            for descriptor, _ in self._poller.poll(_TICK * 1000):
                if self._listener.is_closed():
                    break
                if descriptor == listener_fd:
                    self._accept(listener_fd)
                elif descriptor in self._clients:
                    self._serve(self._clients[descriptor])
            self._dismiss_expired(listener_fd)
        for client in list(self._clients.values()):
            self._dismiss(client)

    def _accept(self, listener_fd: int) -> None:
        try:
            wire, _ = self._listener.wire.accept()
        except BlockingIOError:
            return
        except OSError:  # such as too many open files, a state that may end soon
            self._poller.unregister(listener_fd)
            self._accept_again_at = time.monotonic() + _TICK
            self._dismiss_oldest()
            return
        client = Client(wire)
        if len(self._clients) >= _MOST_CLIENTS:
            self._dismiss_oldest()
        self._clients[wire.fileno()] = client
        self._poller.register(wire, _READ)
        self._try_reply(client)

    def _serve(self, client: Client) -> None:
        try:
            if client.answer is None:
                client.read()
                self._try_reply(client)
            elif client.write():
                self._dismiss(client)
        except BlockingIOError:
            return
        except OSError:
            self._dismiss(client)

    def _try_reply(self, client: Client) -> None:
        """Begin to send the answer, once ``answer`` has enough of the request."""
        try:
            answer = self._answer(client)
        except Exception:  # a failure for one client must not end the thread for all
            answer = b""
        if answer is not None:
            client.answer = memoryview(answer)
            self._poller.modify(client.wire, _WRITE)

    def _dismiss_expired(self, listener_fd: int) -> None:
        now = time.monotonic()
        for client in [client for client in self._clients.values() if client.expires <= now]:
            self._dismiss(client)
        if (
            self._accept_again_at is not None
            and now >= self._accept_again_at
            and not self._listener.is_closed()
        ):
            self._accept_again_at = None
            self._poller.register(listener_fd, _READ)

    def _dismiss_oldest(self) -> None:
        for client in list(self._clients.values())[:1]:
            self._dismiss(client)

    def _dismiss(self, client: Client) -> None:
        descriptor = client.wire.fileno()
        self._clients.pop(descriptor, None)
        with suppress(KeyError, ValueError):
            self._poller.unregister(descriptor)
        client.wire.close()
