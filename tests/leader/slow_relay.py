"""A slow connection to a server: data is passed on later, and requests for watches never."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.leader.network import Host
from tests.support.waiting import PATIENCE

_WATCH = b"POST /v3/watch "


class Relay:
    """Relay that listens on a host's loopback interface and passes all data on to `url`."""

    def __init__(self, host: Host, url: str) -> None:
        self.delay = 0.0
        """Delay of each piece of data, in seconds, in either direction."""
        self.deaf = False
        """True if requests for watches are lost."""
        there = urlsplit(url)
        self._host, self._there = host, (there.hostname or "", there.port or 0)
        with host.entered():
            self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        with self._host.entered(), contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._there, timeout=PATIENCE)
        except OSError:
            near.close()
            return
        for sock in (near, far):
            sock.settimeout(PATIENCE)
        back = threading.Thread(target=self._pass, args=(far, near), daemon=True)
        back.start()
        self._pass(near, far)
        back.join()
        near.close()
        far.close()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        swallow = False
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                swallow = swallow or (self.deaf and piece.startswith(_WATCH))
                time.sleep(self.delay)
                if not swallow:
                    target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def relays(host: Host, urls: Sequence[str]) -> Iterator[list[Relay]]:
    """Yield a relay for each URL, until the end of the block."""
    made = [Relay(host, url) for url in urls]
    try:
        yield made
    finally:
        for relay in made:
            relay.close()
