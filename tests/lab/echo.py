"""The service of the real servers: it sends the name of its host, then echoes its input.

One thread serves all hosts: a socket stays in the network namespace in which it was opened.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import threading
from typing import NamedTuple

from tests.support.namespaces import entered

PORT = 5432
IP_PKTINFO = 8  # linux/in.h; in Python's socket module only from 3.14 on


class Endpoint(NamedTuple):
    """Purpose of a socket. `kind` is "listener", "session" or "datagrams"."""

    host: str
    kind: str


class EchoServer:
    """Server for all hosts: over TCP the host's name and an echo, over UDP the host's name.

    A session in which the client has sent "stay" is not closed when the client shuts it down. It
    gets a last line by `say_farewell`.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.RLock()
        self._stopping = False
        self._staying: set[socket.socket] = set()
        self._half_closed: list[tuple[str, socket.socket]] = []
        self._woken, self._wake = os.pipe()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._serve, name="echo", daemon=True)
        self._thread.start()

    def listen(self, host: str, port: int = PORT) -> None:
        """Offer the service on all addresses of `host`, in both families and protocols."""
        with entered(host), self._lock:
            for family in (socket.AF_INET, socket.AF_INET6):
                self._add(_bound(family, socket.SOCK_STREAM, port), Endpoint(host, "listener"))
                self._add(_bound(family, socket.SOCK_DGRAM, port), Endpoint(host, "datagrams"))

    def hang_up(self, host: str) -> None:
        """End the service on a host, with all its sessions, as the death of its process would."""
        with self._lock:
            for key in list(self._selector.get_map().values()):
                if key.data is not None and key.data.host == host:
                    self._remove(key.fileobj)

    def say_farewell(self, host: str) -> None:
        """Send the last line in the host's sessions that clients have shut down, and close them."""
        with self._lock:
            for name, session in list(self._half_closed):
                if name == host:
                    self._half_closed.remove((name, session))
                    session.sendall(b"bye\n")
                    session.close()

    def close(self) -> None:
        """End the service everywhere."""
        self._stopping = True
        os.write(self._wake, b".")
        self._thread.join(10)
        for endpoint in {key.data for key in self._selector.get_map().values()} - {None}:
            self.hang_up(endpoint.host)
        self._selector.close()
        os.close(self._woken)
        os.close(self._wake)

    def _add(self, sock: socket.socket, endpoint: Endpoint) -> None:
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, endpoint)

    def _remove(self, sock: object) -> None:
        assert isinstance(sock, socket.socket)
        self._selector.unregister(sock)
        sock.close()

    def _serve(self) -> None:
        while not self._stopping:
            ready = self._selector.select()
            with self._lock:
                for key, _ in ready:
                    # Another thread may have hung up between select and lock.
                    if isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:
                        self._attend(key.fileobj, key.data)

    def _attend(self, sock: socket.socket, endpoint: Endpoint) -> None:
        with contextlib.suppress(BlockingIOError):
            if endpoint.kind == "listener":
                session, _ = sock.accept()
                session.sendall(f"{endpoint.host}\n".encode())
                self._add(session, Endpoint(endpoint.host, "session"))
            elif endpoint.kind == "datagrams":
                _answer(sock, endpoint.host)
            else:
                self._repeat(sock, endpoint.host)

    def _repeat(self, session: socket.socket, host: str) -> None:
        try:
            chunk = session.recv(4096)
            session.sendall(chunk)
        except BlockingIOError:
            raise
        except OSError:
            chunk = b""
        if chunk == b"stay\n":
            self._staying.add(session)
        if not chunk and session in self._staying:
            self._staying.remove(session)
            self._selector.unregister(session)
            self._half_closed.append((host, session))
        elif not chunk:
            self._remove(session)


def _bound(family: int, kind: int, port: int) -> socket.socket:
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    if kind == socket.SOCK_STREAM:
        sock.listen(1024)
    return sock


def _answer(sock: socket.socket, name: str) -> None:
    """Answer from the queried address: by default the kernel would not use the VIP."""
    _, ancillary, _, client = sock.recvmsg(4096, 256)
    (level, kind, data), *_ = ancillary
    if level == socket.IPPROTO_IP:
        source = struct.pack("@i4s4s", 0, data[8:12], b"\0" * 4)  # ip(7): struct in_pktinfo
    else:
        source = data[:16] + struct.pack("@i", 0)  # ipv6(7): struct in6_pktinfo
    sock.sendmsg([name.encode()], [(level, kind, source)], 0, client)
