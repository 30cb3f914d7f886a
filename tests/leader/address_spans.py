"""Times during which hosts have an address, read from their kernels at once, reachable or not."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Iterator

from tests.leader.network import Host
from tests.leader.worker import Worker

_GROUP_IPV4_ADDRESSES = 0x10  # linux/rtnetlink.h
_NEW, _GONE = 20, 21
_LOCAL = 2  # linux/if_addr.h
_HEADER = struct.Struct("=IHHII")
_ABOUT = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")


class AddressSpans:
    """The spans of time in which a host has an address, initially none."""

    def __init__(self, host: Host, address: str) -> None:
        self.spans: list[tuple[float, float]] = []
        self._since: float | None = None
        self._address = socket.inet_aton(address)
        with host.entered():
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self._socket.bind((0, _GROUP_IPV4_ADDRESSES))
        self._worker = Worker(self._run)

    def stop(self) -> None:
        self._worker.stop()
        self._socket.close()
        self._tell(_GONE)

    def _run(self, over: threading.Event) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while not over.is_set():
            for _ in poller.poll(100):
                for kind in _news(self._socket.recv(65536), self._address):
                    self._tell(kind)

    def _tell(self, kind: int) -> None:
        now = time.monotonic()
        if kind == _NEW and self._since is None:
            self._since = now
        elif kind == _GONE and self._since is not None:
            self.spans.append((self._since, now))
            self._since = None


def overlap(one: AddressSpans, two: AddressSpans) -> float:
    """Return the seconds during which both hosts had the address."""
    return sum(
        max(0.0, min(end, other_end) - max(begin, other_begin))
        for begin, end in one.spans
        for other_begin, other_end in two.spans
    )


def _news(data: bytes, address: bytes) -> Iterator[int]:
    """Yield the types of the messages that name the address."""
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if kind in (_NEW, _GONE) and address in _locals(data[16 + _ABOUT.size : length]):
            yield kind
        data = data[(length + 3) & ~3 :]


def _locals(attributes: bytes) -> Iterator[bytes]:
    while len(attributes) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if kind == _LOCAL:
            yield attributes[_ATTRIBUTE.size : length]
        attributes = attributes[(length + 3) & ~3 :]
