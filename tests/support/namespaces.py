"""Network namespaces: the calling thread in one, its sysctls, and ip(8)."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from threading import Thread

from tests.support.processes import run

CLONE_NEWNET = 0x40000000  # linux/sched.h

_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def entered(name: str) -> Iterator[None]:
    """Put the calling thread into the network namespace `name`, and back afterwards.

    Sockets opened inside stay in it for good, and processes started inside live in it. The former
    need no fork and the latter no `ip netns exec`. Only the one thread moves (setns(2)).
    """
    with open("/proc/thread-self/ns/net", "rb") as before:
        with open(f"/run/netns/{name}", "rb") as wanted:
            _setns(wanted.fileno())
        try:
            yield
        finally:
            _setns(before.fileno())


def run_in_new_network(work: Callable[[], None]) -> None:
    """Run the function in a new network namespace, in a thread of its own; needs root."""
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            assert _libc.unshare(CLONE_NEWNET) == 0
            work()
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=enter)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _setns(descriptor: int) -> None:
    # os.setns exists from Python 3.12 on.
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def sysctl(name: str, value: str | int | None = None) -> str:
    """Return a sysctl of the calling thread's network namespace, after setting it to `value`.

    Names are spelled with slashes ("net/ipv4/ip_forward"), because interface names may have dots.
    """
    path = f"/proc/sys/{name}"
    if value is not None:
        with open(path, "w") as file:
            file.write(str(value))
    with open(path) as file:
        return file.read().strip()


def ip_batch(lines: Iterable[str]) -> None:
    """Run commands of ip(8) such as "link set eth0 up" in one process."""
    run(["ip", "-batch", "-"], stdin="".join(f"{line}\n" for line in lines))
