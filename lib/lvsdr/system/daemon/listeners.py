"""Listening sockets of this host, and queries of Unix sockets."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from ...errors import LvsdrError
from ..local_socket import query
from . import line_server

_LONGEST_REPLY = 16 * 1024 * 1024  # bytes of an answer


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


def open_unix_socket(path: str) -> Listener:
    """Return a listening Unix socket for root and this user alone; raise LvsdrError.

    An existing file at the path is replaced.
    """
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        return Listener(line_server.listen(path), path)
    except OSError as error:
        raise LvsdrError(f"cannot listen at {path}: {error.strerror or error}") from None


def open_port(address: str, port: int) -> Listener:
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


def query_socket(path: str, seconds: float) -> bytes | None:
    """Return the answer of a Unix socket; None if no process listens there.

    Raises LvsdrError if a process listens, but does not answer, or rejects this user.
    """
    try:
        return query(path, seconds, _LONGEST_REPLY)[0]
    except (ConnectionRefusedError, FileNotFoundError):
        return None
    except OSError as error:
        raise LvsdrError(f"{path}: {error.strerror or error}") from None
