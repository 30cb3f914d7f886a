"""The client of a Unix socket: one line for each connection.

``_socket`` is the part of the socket module that these few calls need, at a tenth of its cost.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as _socket
else:
    import _socket

_LONGEST = 4096  # bytes of an answer
_INSTANT = 0.001  # seconds; zero would mean a socket that does not block


def ask(path: str, seconds: float) -> tuple[str, int, int]:
    """Return the line of the process that listens, its id, and that of its user.

    The kernel vouches for the ids (unix(7), SO_PEERCRED).  Raise OSError without an answer in time.
    """
    wire = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    limit = time.monotonic() + seconds
    try:
        wire.settimeout(seconds)
        wire.connect(path)
        pid, uid = read_peer(wire)
        text = b""
        while len(text) < _LONGEST and (piece := wire.recv(_LONGEST)):
            text += piece
            if time.monotonic() >= limit:
                raise TimeoutError("timed out")
            wire.settimeout(max(_INSTANT, limit - time.monotonic()))  # for all pieces together
        return text.decode("utf-8", "replace"), pid, uid
    finally:
        wire.close()


def read_peer(wire: _socket.socket) -> tuple[int, int]:
    """Return process id and user id of the other end."""
    credentials = wire.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    pid, uid = (int.from_bytes(credentials[i : i + 4], "little", signed=True) for i in (0, 4))
    return pid, uid
