"""Connections of urllib3 on which reading ends at a deadline, however slowly the server sends.

A timeout of a socket is one for each read: a server that sends a byte a second never meets it.
"""

from __future__ import annotations

import io
import socket

from ..deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def bounded(kind: type[Any], deadline: Deadline) -> type[Any]:
    """Return a class of connections like ``kind`` that are read until the deadline at most."""

    class Bounded(kind):  # type: ignore[misc]
        sock: Any

        def connect(self) -> None:
            super().connect()
            self.sock = _Socket(self.sock, deadline)

    return Bounded


class _Socket:
    """A socket whose files are bounded."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def makefile(self, _mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        """Return a file to read from; http.client asks for no other."""
        return io.BufferedReader(_Reader(self._wire, self._deadline))


class _Reader(io.RawIOBase):
    """The bytes that come until the deadline."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline
        self._file = wire.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline.expired():
            raise TimeoutError("the deadline is over")
        self._wire.settimeout(self._deadline.remaining())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
