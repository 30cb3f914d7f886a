"""From names to addresses: side by side, within a deadline, and never this host's loopback."""

from __future__ import annotations

# Not socket: that wraps every constant in an enumeration, a tenth of all that a monitor does.
import _socket as socket
from collections.abc import Iterable
from contextlib import suppress

from ..deadline import Deadline
from ..hosts import is_link_local, is_mapped, is_remote, literal
from ..model import Resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import Callable

    Resolver = Callable[[str, int], Iterable[str]]

_PARALLEL = 64  # look-ups at a time; each takes a thread


def look_up(name: str, family: int) -> set[str]:
    """The addresses that the system's resolver has for a name; raises OSError."""
    # As bytes: a str would be sent through the IDNA codec, which costs more than the look-up.
    entries = socket.getaddrinfo(name.encode(), None, family, socket.SOCK_STREAM)
    return {str(entry[4][0]) for entry in entries}


def resolve(
    hosts: Iterable[str], *, ipv6: bool, deadline: Deadline, resolver: Resolver = look_up
) -> dict[str, Resolved]:
    """Look every host up at the same time; those that take too long have no address."""
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    found: dict[str, Resolved] = {}
    names = []
    for host in dict.fromkeys(hosts):
        address = literal(host)
        if address is None:
            names.append(host)
        else:
            found[host] = _usable([address], family)
    found.update(_ask_all(names, family, deadline, resolver))
    return found


def _ask_all(
    names: list[str], family: int, deadline: Deadline, resolver: Resolver
) -> dict[str, Resolved]:
    answers: dict[str, Resolved] = {}
    waiting = names[::-1]

    def work() -> None:
        while waiting:
            with suppress(IndexError):  # another thread took the last one
                name = waiting.pop()
                answers[name] = _ask(name, family, resolver)

    threads, problem = _threads(min(len(names), _PARALLEL), work)
    for thread in threads:
        thread.join(deadline.remaining())
    late = Resolved([], problem or "the resolver did not answer in time")
    return {name: answers.get(name, late) for name in names}


def _threads(number: int, work: Callable[[], None]) -> tuple[list[Thread], str]:
    """Start as many threads as there may be; returns them, and why there are no more."""
    from threading import Thread  # only for those who have names to look up

    threads: list[Thread] = []
    try:
        for _ in range(number):
            thread = Thread(target=work, daemon=True)
            thread.start()
            threads.append(thread)
    except (
        RuntimeError,
        MemoryError,
    ) as error:  # the limit of processes, ulimit -u or the cgroup's
        return threads, f"the resolver cannot be asked: {error}"
    return threads, ""


def _ask(name: str, family: int, resolver: Resolver) -> Resolved:
    try:
        addresses = resolver(name, family)
    except OSError as error:
        return Resolved([], error.strerror or str(error))
    found = {literal(address.partition("%")[0]) for address in addresses}
    return _usable(sorted(address for address in found if address), family)


def _usable(addresses: list[str], family: int) -> Resolved:
    """Those that a real server can have; why, if there are none."""
    flaws = {text: _flaw(text, 6 if family == socket.AF_INET6 else 4) for text in addresses}
    usable = [text for text, flaw in flaws.items() if not flaw]
    return Resolved(usable, "" if usable else next(iter(flaws.values())))


def _flaw(address: str, version: int) -> str:
    """Debian resolves a host's own name to 127.0.1.1: no address that another could send to."""
    if (":" in address) is not (version == 6):
        return f"{address} is not an IPv{version} address"
    usable = is_remote(address) and not is_link_local(address) and not is_mapped(address)
    return "" if usable else f"{address} is no address that a real server can have"
