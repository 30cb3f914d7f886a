"""The server of a Unix socket that sends one line to each process of root that connects."""

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
    before = os.umask(0o177)
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        wire.bind(path)
        wire.listen(_WAITING)
        wire.setblocking(False)
    except OSError:
        wire.close()
        raise
    finally:
        os.umask(before)
    return wire


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
            if read_peer(wire)[1] in (0, os.geteuid()):
                wire.send(line.encode())
