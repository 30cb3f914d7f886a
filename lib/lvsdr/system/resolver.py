"""From names to addresses: side by side, within a deadline, and never this host's loopback."""

from __future__ import annotations

# Not socket: that wraps every constant in an enumeration, a tenth of all that a monitor does.
import _socket as socket
from collections.abc import Iterable

from ..deadline import Deadline
from ..hosts import is_link_local, is_remote, literal
from ..model import Resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    Resolver = Callable[[str, int], Iterable[str]]


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
    from threading import Thread  # only for those who have names to look up

    answers: dict[str, Resolved] = {}

    def ask(name: str) -> None:
        answers[name] = _ask(name, family, resolver)

    threads = [Thread(target=ask, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.remaining())
    late = Resolved([], "the resolver did not answer in time")
    return {name: answers.get(name, late) for name in names}


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
    usable = is_remote(address) and not is_link_local(address)
    return "" if usable else f"{address} is no address that a real server can have"
