"""Where to connect to, and which servers that will be."""

from __future__ import annotations

from collections.abc import Mapping

from ..hosts import literal
from ..typed import NamedTuple

_LEAST_TIMEOUT = 2  # libpq takes a connect_timeout of 1 for 2


class Target(NamedTuple):
    """A connection string or URI, which may be empty, and the keywords that go before it."""

    string: str
    settings: Mapping[str, str]
    unnamed: tuple[str, ...] = ()
    """Keywords whose values came as words that no name says the meaning of."""


def hosts(settings: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """The servers that will be tried, as far as can be known here: a service may name others.

    >>> hosts({"host": "node1,node2"}, {"PGHOST": "db"}), hosts({}, {"PGHOST": "db"})
    (['node1', 'node2'], ['db'])
    """
    named = settings.get("host") or settings.get("hostaddr")
    if not named and "service" not in settings and "PGSERVICE" not in environ:
        named = environ.get("PGHOST") or environ.get("PGHOSTADDR")
    return named.split(",") if named else []


def names(settings: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Those servers, if none of them can be asked unless one has been looked up by its name.

    >>> names({"host": "node1,node2"}, {}), names({"host": "node1,10.77.0.2"}, {})
    (['node1', 'node2'], [])
    """
    if settings.get("hostaddr") or environ.get("PGHOSTADDR"):
        return []
    servers = hosts(settings, environ)
    return [] if any(map(_needs_no_name, servers)) else servers


def _needs_no_name(server: str) -> bool:
    """Say so of an address, and of a socket: its directory, its abstract name, or the usual one."""
    return not server or server.startswith(("/", "@")) or literal(server) is not None


def patience(servers: int, seconds: float) -> int:
    """Seconds for each of several servers, so that a dead one leaves time for the others.

    >>> patience(2, 8.0), patience(9, 8.0)
    (4, 2)
    """
    return max(_LEAST_TIMEOUT, int(seconds / servers))
