"""Listening sockets of this host, each served by its own thread."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from ...errors import LvsdrError
from ...values.deadline import Deadline
from .requests import Client, attend

_LONGEST = 16 * 1024 * 1024  # bytes of an answer
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Listener:
    """A listening socket; ``close`` ends the service."""

    def __init__(self, wire: socket.socket, path: str | None = None) -> None:
        self.wire = wire
        self._closed = False
        self._path = path

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self.wire.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for clients
        self.wire.close()
        if self._path is not None:
            with suppress(OSError):
                os.unlink(self._path)


def at_path(path: str) -> Listener:
    """Return a listening Unix socket for root and this user alone; raise LvsdrError.

    An existing file at the path is replaced.
    """
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with suppress(FileNotFoundError):
            os.unlink(path)
        wire.bind(path)
        os.chmod(path, 0o600)
        wire.listen()
    except OSError as error:
        wire.close()
        raise LvsdrError(f"cannot listen at {path}: {error.strerror or error}") from None
    return Listener(wire, path)


def at_port(address: str, port: int) -> Listener:
    """Return a listening TCP socket; raise LvsdrError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wire.bind((address, port))
        wire.listen()
    except OSError as error:
        wire.close()
        raise LvsdrError(f"cannot listen at {address} port {port}: {error.strerror}") from None
    return Listener(wire)


def serve(listener: Listener, answer: Callable[[], bytes]) -> None:
    """Send ``answer()`` to each client of root or this user, until the listener is closed."""

    def answered(client: Client) -> bytes | None:
        return answer() if _may_ask(client.wire) else b""

    Thread(target=attend, args=(listener, answered), daemon=True).start()


def serve_http(listener: Listener, path: str, answer: Callable[[], bytes]) -> None:
    """Serve GET of ``path`` over HTTP in the same way; the answer is plain text."""

    def answered(client: Client) -> bytes | None:
        return http(client.question, path, answer) if client.complete else None

    Thread(target=attend, args=(listener, answered), daemon=True).start()


def _may_ask(peer: socket.socket) -> bool:
    """Return whether the client is root or this user, as the mode of the file requires, too."""
    said = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(said)[1] in (0, os.geteuid())


def ask(path: str, seconds: float) -> bytes | None:
    """Return the answer of a Unix socket; None if no process listens there.

    Raises LvsdrError if a process listens, but does not answer, or rejects this user.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as wire:
        deadline = Deadline.after(seconds)
        try:
            wire.settimeout(seconds)
            wire.connect(path)
            said = b""
            while piece := wire.recv(65536):
                said += piece
                if deadline.expired() or len(said) > _LONGEST:
                    raise LvsdrError(f"{path}: the answer does not end")
                wire.settimeout(deadline.remaining())
            return said
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        except OSError as error:
            raise LvsdrError(f"{path}: {error.strerror or error}") from None


def http(question: bytes, path: str, answer: Callable[[], bytes]) -> bytes:
    """Return the whole answer to a request; the connection ends after it (RFC 9112)."""
    words = question.split(b"\n", 1)[0].split()
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
