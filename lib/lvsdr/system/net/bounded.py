"""Connections of urllib3 that stop reading at a deadline, however slowly the server sends.

A socket's timeout applies to each read: a server that sends a byte a second never exceeds it.
"""

from __future__ import annotations

import io
import socket

from ...values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def build_bounded_class(kind: type[Any], deadline: Deadline) -> type[Any]:
    """Return a class of connections like ``kind`` that stop reading at the deadline."""

    class Bounded(kind):  # type: ignore[misc]
        sock: Any

        def connect(self) -> None:
            super().connect()
            self.sock = _Socket(self.sock, deadline)

    return Bounded


class _Socket:
    """A socket whose ``makefile`` returns files with a deadline."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wire, name)

    def makefile(self, _mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        """Return a file for reading; http.client requests no other kind."""
        return io.BufferedReader(_Reader(self._wire, self._deadline))


class _Reader(io.RawIOBase):
    """A raw stream of the bytes that arrive until the deadline."""

    def __init__(self, wire: socket.socket, deadline: Deadline) -> None:
        self._wire = wire
        self._deadline = deadline
        self._file = wire.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline.is_expired():
            raise TimeoutError("the deadline is over")
        self._wire.settimeout(self._deadline.remaining())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
