"""Listeners on one free port of several addresses, in the place of real servers."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager


class Listeners:
    """The listeners of all hosts; connections wait in a queue, which no process accepts."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as server:
            self.port: int = server.getsockname()[1]
        self._addresses = addresses
        self._open: dict[str, socket.socket] = {}

    def start(self, *hosts: str) -> None:
        for host in hosts:
            address = (self._addresses[host], self.port)
            self._open[host] = socket.create_server(address, backlog=100)

    def stop(self, *hosts: str) -> None:
        """Close the listeners of these hosts, or all."""
        for host in hosts or tuple(self._open):
            self._open.pop(host).close()


@contextmanager
def listening(addresses: Mapping[str, str]) -> Iterator[Listeners]:
    """Listen for all of these hosts."""
    listeners = Listeners(addresses)
    with ExitStack() as left:
        left.callback(listeners.stop)
        listeners.start(*addresses)
        yield listeners
