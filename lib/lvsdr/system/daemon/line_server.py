"""A Unix socket for processes of root and this user, and the server that sends them one line."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from ..local_socket import read_peer

_REST = 0.05  # seconds
_WAITING = 16  # connections that wait for accept


def listen(path: str) -> socket.socket:
    """Return a listening socket for root and this user alone, which never blocks.

    A file at the path is replaced.  Raise OSError.
    """
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        # The file that bind makes has this mode from its first moment on (af_unix.c).
        os.fchmod(wire.fileno(), 0o600)
        with suppress(FileNotFoundError):
            os.unlink(path)
        wire.bind(path)
        wire.listen(_WAITING)
        wire.setblocking(False)
    except OSError:
        wire.close()
        raise
    return wire


def is_permitted(wire: socket.socket) -> bool:
    """Test whether the client is root or this user, as the mode of the file requires, too."""
    return read_peer(wire)[1] in (0, os.geteuid())


def reply(listener: socket.socket, line: str) -> None:
    """Send the line to each process of root or this user that waits; others get nothing."""
    for _ in range(_WAITING):
        try:
            wire, _address = listener.accept()
        except BlockingIOError:
            return  # no process waits
        except OSError:
            time.sleep(_REST)  # no descriptor is left, and the process still waits
            return
        with wire, suppress(OSError):
            wire.setblocking(False)
            if is_permitted(wire):
                wire.send(line.encode())
