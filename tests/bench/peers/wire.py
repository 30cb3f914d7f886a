"""The part of PostgreSQL's protocol that the clients need: log in, and ask for a server's name."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

from tests.lab.client import State

PROTOCOL = 196608  # version 3.0
NAME = "SELECT current_setting('cluster_name')"
TERMINATE = b"X\0\0\0\4"
PATIENCE = 5.0  # seconds for a connection, or for an answer


class Denied(Exception):
    """An error of the server, or the end of the connection."""


def login(user: str, database: str) -> bytes:
    """Return the message that begins a session."""
    text = f"user\0{user}\0database\0{database}\0\0".encode()
    return struct.pack("!ii", 8 + len(text), PROTOCOL) + text


def query(statement: str) -> bytes:
    r"""Return the message of a simple query.

    >>> query("SELECT 1")
    b'Q\x00\x00\x00\rSELECT 1\x00'
    """
    text = statement.encode() + b"\0"
    return b"Q" + struct.pack("!i", 4 + len(text)) + text


def messages(received: bytes) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield the complete messages, each as its type and its content.

    >>> list(messages(b"Z\0\0\0\5ID\0\0\0"))
    [(b'Z', b'I')]
    """
    at = 0
    while len(received) >= at + 5:
        (length,) = struct.unpack_from("!i", received, at + 1)
        if len(received) < at + 1 + length:
            return
        yield received[at : at + 1], received[at + 5 : at + 1 + length]
        at += 1 + length


def first_value(received: bytes) -> str | None:
    r"""Return the first value of a result, or None if it has not arrived yet.

    Raises Denied if the server has sent an error.

    >>> first_value(b"D\0\0\0\x0d\0\1\0\0\0\3abc")
    'abc'
    >>> first_value(b"D\0\0\0\x0d\0\1")
    """
    for kind, content in messages(received):
        if kind == b"E":
            fields = {field[:1]: field[1:] for field in content.split(b"\0")}
            raise Denied(fields.get(b"M", b"an error").decode(errors="replace"))
        if kind == b"D":
            (length,) = struct.unpack_from("!i", content, 2)
            return content[6 : 6 + length].decode()
    return None


class LastingSession:
    """A session that stays open. `server` is the name of the server that it landed on."""

    def __init__(self, address: str, port: int, user: str) -> None:
        self._socket = socket.create_connection((address, port), PATIENCE)
        try:
            self._socket.sendall(login(user, "postgres"))
            self.server = self._ask()
        except BaseException:
            self.close()
            raise

    def state(self) -> State:
        """Return the state of the session, found by a query."""
        try:
            return State.ALIVE if self._ask() == self.server else State.ENDED
        except (ConnectionResetError, BrokenPipeError):
            return State.RESET
        except socket.timeout:
            return State.SILENT
        except Denied:
            return State.ENDED

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def _ask(self) -> str:
        self._socket.sendall(query(NAME))
        received = b""
        while (name := first_value(received)) is None:
            chunk = self._socket.recv(4096)
            if not chunk:
                raise Denied("the connection has ended")
            received += chunk
        self._drain(received)
        return name

    def _drain(self, received: bytes) -> None:
        """Read up to the end of the answer, so that the next answer begins cleanly."""
        while not any(kind == b"Z" for kind, _ in _after_result(received)):
            chunk = self._socket.recv(4096)
            if not chunk:
                raise Denied("the connection has ended")
            received += chunk


def _after_result(received: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the messages after the first row: the login has a ready message of its own."""
    found = False
    for kind, content in messages(received):
        if found:
            yield kind, content
        found = found or kind == b"D"
