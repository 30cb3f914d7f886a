"""The client of a Unix socket: one answer for each connection.

``_socket`` is the part of the socket module that these few calls need, at a tenth of its cost.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket as _socket
else:
    import _socket

_LONGEST_LINE = 4096  # bytes
_PIECE = 65536
_INSTANT = 0.001  # seconds; zero would mean a socket that does not block


def ask(path: str, seconds: float) -> tuple[str, int, int]:
    """Return the line of the process that listens, its id, and that of its user.

    The kernel vouches for the ids (unix(7), SO_PEERCRED).  Raise OSError as ``query`` does.
    """
    answer, pid, uid = query(path, seconds, _LONGEST_LINE)
    return answer.decode("utf-8", "replace"), pid, uid


def query(path: str, seconds: float, longest: int) -> tuple[bytes, int, int]:
    """Return the answer, and the ids of ``ask``.

    Raise OSError without a whole answer in time, or for one of more than ``longest`` bytes.
    """
    wire = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    limit = time.monotonic() + seconds
    try:
        wire.settimeout(seconds)
        wire.connect(path)
        pid, uid = read_peer(wire)
        answer = b""
        while piece := wire.recv(min(longest, _PIECE)):
            answer += piece
            if len(answer) > longest:
                raise OSError("the answer is too long")
            if time.monotonic() >= limit:
                raise TimeoutError("timed out")
            wire.settimeout(max(_INSTANT, limit - time.monotonic()))  # for all pieces together
        return answer, pid, uid
    finally:
        wire.close()


def read_peer(wire: _socket.socket) -> tuple[int, int]:
    """Return process id and user id of the other end."""
    credentials = wire.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    pid, uid = (int.from_bytes(credentials[i : i + 4], "little", signed=True) for i in (0, 4))
    return pid, uid
