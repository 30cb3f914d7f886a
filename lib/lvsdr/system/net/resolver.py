"""Name resolution: parallel, within a deadline, and never to this host's loopback."""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket as socket
from collections.abc import Iterable
from contextlib import suppress

from ...pool.model import Resolved
from ...values.deadline import Deadline
from ...values.hosts import is_link_local, is_remote
from ...values.parsing import canonical_address, is_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import Callable

    Resolver = Callable[[str, int], Iterable[str]]

_PARALLEL = 64  # look-ups at a time; each takes a thread


def look_up(name: str, family: int) -> set[str]:
    """Return the addresses that the system's resolver has for a name; raise OSError."""
    # bytes, because a str would pass the IDNA codec, which costs more than the look-up.
    entries = socket.getaddrinfo(name.encode(), None, family, socket.SOCK_STREAM)
    return {str(entry[4][0]) for entry in entries}


class Lookups:
    """Parallel look-ups of hosts, in threads that are abandoned if they hang.

    An address needs no look-up.  A text that is neither a name nor an address is never looked up:
    ``getaddrinfo`` would read 10.9.0.021 as 10.9.0.17.
    """

    def __init__(self, hosts: Iterable[str], *, ipv6: bool, resolver: Resolver = look_up) -> None:
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._resolver = resolver
        self._results: dict[str, Resolved] = {}
        self._late_result = Resolved([], "the resolver did not answer in time")
        names = []
        for host in dict.fromkeys(hosts):
            address = canonical_address(host)
            if address is not None:
                self._results[host] = _select_usable([address], self._family)
            elif is_host(host):
                names.append(host)
            else:
                self._results[host] = Resolved(
                    [], f"{host!a} is neither a host name nor an address"
                )
        self._names = tuple(names)
        self._waiting_names = names[::-1]
        self._threads: list[Thread] = []
        self._start_threads(min(len(names), _PARALLEL))

    def wait(self, deadline: Deadline) -> bool:
        """Wait until all look-ups have ended, or until the deadline; return whether all have."""
        for thread in self._threads:
            thread.join(deadline.remaining())
        return self._results.keys() >= set(self._names)

    def list_results(self) -> dict[str, Resolved]:
        """Return the known results; a host with a pending look-up has no address."""
        results = dict(self._results)
        return {
            **results,
            **{name: self._late_result for name in self._names if name not in results},
        }

    def _start_threads(self, number: int) -> None:
        from threading import Thread  # only needed with names to look up

        try:
            for _ in range(number):
                thread = Thread(target=self._resolve_names, daemon=True)
                thread.start()
                self._threads.append(thread)
        except (RuntimeError, MemoryError) as error:  # ulimit -u, or the limit of the cgroup
            self._late_result = Resolved([], f"cannot start a thread for the resolver: {error}")

    def _resolve_names(self) -> None:
        while self._waiting_names:
            with suppress(IndexError):  # another thread took the last one
                name = self._waiting_names.pop()
                self._results[name] = _resolve_name(name, self._family, self._resolver)


def _resolve_name(name: str, family: int, resolver: Resolver) -> Resolved:
    try:
        addresses = resolver(name, family)
    except OSError as error:
        return Resolved([], error.strerror or str(error))
    canonical_forms = {canonical_address(address.partition("%")[0]) for address in addresses}
    return _select_usable(sorted(address for address in canonical_forms if address), family)


def _select_usable(addresses: list[str], family: int) -> Resolved:
    """Return the addresses that a real server can have; a reason if there are none."""
    if not addresses:
        return Resolved([], "the resolver has no address that IPVS can use")
    flaws = {text: _find_flaw(text, 6 if family == socket.AF_INET6 else 4) for text in addresses}
    usable = [text for text, flaw in flaws.items() if not flaw]
    return Resolved(usable, "" if usable else next(iter(flaws.values())))


def _find_flaw(address: str, version: int) -> str:
    """Return the reason against an address; empty if a real server can have it.

    Debian resolves a host's own name to 127.0.1.1, which no other host can reach.
    """
    if (":" in address) is not (version == 6):
        return f"{address} is not an IPv{version} address"
    usable = is_remote(address) and not is_link_local(address)
    return "" if usable else f"{address} is no address that a real server can have"
