"""The check ``tcp``: a connection to the real server's address and port, closed at once.

The kernel accepts connections for a process that is stopped, so this check does not notice a frozen
server.  The close is an ordinary one: PostgreSQL logs a reset, but not the end of a connection
without any data.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Generator
from errno import (
    ECONNREFUSED,
    ECONNRESET,
    EHOSTDOWN,
    EHOSTUNREACH,
    EINPROGRESS,
    ENETUNREACH,
    EPIPE,
    ETIMEDOUT,
)

from ...pool.check_history import Reply
from ...values.parsing import join_endpoint
from .host_check import Attempt, CheckFinding, Wait

_REFUSED = (ECONNREFUSED, ECONNRESET, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, EPIPE)


class TcpChecker:
    """The check of one address and port."""

    def __init__(self, address: str, port: int) -> None:
        self.label = f"tcp check of {join_endpoint(address, port)}"
        self.stage = "connecting"
        self._address = address
        self._port = port

    def attempt(self) -> Attempt:
        """Connect, and close the connection."""
        with nonblocking_socket(self._address) as connection:
            code = yield from connect(connection, self._address, self._port)
        if not code:
            return CheckFinding(Reply.FIT, f"{self.label}: connected")
        return CheckFinding(classify_errno(code), f"{self.label}: {os.strerror(code)}")

    def close(self) -> None:
        """Close nothing: no connection is kept."""


def nonblocking_socket(address: str) -> socket.socket:
    """Return a new TCP socket of the address's family."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


def connect(connection: socket.socket, address: str, port: int) -> Generator[Wait, None, int]:
    """Connect a socket, and return 0 or the errno; ``address`` is no name, so nothing blocks."""
    code = connection.connect_ex((address, port))
    while code == EINPROGRESS:
        yield Wait(connection.fileno(), select.POLLOUT)
        code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not code and not _has_peer(connection):
            code = EINPROGRESS  # woken too soon
    # Without a listener, a connection to this node itself may be one to its own port.
    if not code and connection.getsockname() == connection.getpeername():
        return ECONNREFUSED
    return code


def _has_peer(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return False
    return True


def classify_errno(code: int) -> Reply:
    """Return the kind of an error of a connection; an error of this node alone does not count.

    >>> from errno import EMFILE
    >>> classify_errno(ECONNREFUSED).value, classify_errno(EMFILE).value
    ('refused', 'none')
    """
    if code == ETIMEDOUT:
        return Reply.SILENT
    return Reply.REFUSED if code in _REFUSED else Reply.NONE
