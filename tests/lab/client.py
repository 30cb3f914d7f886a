"""Sessions of a client through the VIP, and the real servers that they land on."""

from __future__ import annotations

import contextlib
import enum
import socket
from collections import Counter
from collections.abc import Iterable

from tests.lab.echo import PORT
from tests.support.namespaces import entered

TIMEOUT = 5.0  # seconds for one answer


class State(enum.Enum):
    """State of a session: it echoes, was reset, has ended, or does not answer."""

    ALIVE = "alive"
    RESET = "reset"
    ENDED = "ended"
    SILENT = "silent"


class Session:
    """An established TCP connection. `host` is the name of the real server that accepted it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.local = sock.getsockname()[:2]
        self.host = self._line()

    def echo(self, text: str) -> str:
        """Send a line and return the echoed line.

        Raises ConnectionResetError, EOFError or TimeoutError.
        """
        self._sock.sendall(f"{text}\n".encode())
        return self._line()

    def state(self, timeout: float = TIMEOUT) -> State:
        """Return the state of the session, found by an exchange."""
        self._sock.settimeout(timeout)
        try:
            return State.ALIVE if self.echo("still there?") == "still there?" else State.ENDED
        except EOFError:
            return State.ENDED
        except (ConnectionResetError, BrokenPipeError):
            return State.RESET
        except socket.timeout:
            return State.SILENT
        finally:
            self._sock.settimeout(TIMEOUT)

    @property
    def alive(self) -> bool:
        return self.state() is State.ALIVE

    def shut_down(self) -> None:
        """Shut down the sending direction."""
        self._sock.shutdown(socket.SHUT_WR)

    def rest(self) -> str:
        """Return all data that is still to come, up to the end of the stream."""
        text = b""
        while chunk := self._sock.recv(4096):
            text += chunk
        return text.decode()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.close()

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            received = self._sock.recv(1)
            if not received:
                raise EOFError("the real server has ended the session")
            line += received
        return line.decode().strip()


def connect(
    namespace: str,
    address: str,
    port: int = PORT,
    timeout: float = TIMEOUT,
    source: str | None = None,
) -> Session:
    """Connect from a namespace, optionally from one of its addresses, and read the greeting.

    Raises ConnectionRefusedError (no listener), TimeoutError (no answer), or EOFError.
    """
    with entered(namespace):
        sock = _socket(address, socket.SOCK_STREAM, timeout)
    try:
        if source is not None:
            sock.bind((source, 0))
        sock.connect((address, port))
        return Session(sock)
    except BaseException:
        sock.close()
        raise


def refused(namespace: str, address: str, sources: Iterable[str], port: int = PORT) -> list[str]:
    """Return the source addresses from which a connection is refused or gets no answer."""
    return [source for source in sources if not _served(namespace, address, port, source)]


def _served(namespace: str, address: str, port: int, source: str) -> bool:
    try:
        connect(namespace, address, port, source=source).close()
    except (OSError, EOFError):
        return False
    return True


def ask(namespace: str, address: str, port: int = PORT, timeout: float = TIMEOUT) -> str:
    """Send one datagram from a fresh port and return the name of the host that answers."""
    with entered(namespace):
        sock = _socket(address, socket.SOCK_DGRAM, timeout)
    with sock:
        sock.connect((address, port))
        sock.send(b"who are you?")
        return sock.recv(4096).decode()


def _socket(address: str, kind: int, timeout: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.settimeout(timeout)
    return sock


def spread(namespace: str, address: str, connections: int, port: int = PORT) -> Counter[str]:
    """Count the real servers that new connections land on. Each connection is closed at once."""
    hosts: Counter[str] = Counter()
    for _ in range(connections):
        session = connect(namespace, address, port)
        hosts[session.host] += 1
        session.close()
    return hosts
