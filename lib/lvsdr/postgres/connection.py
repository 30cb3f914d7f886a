"""Targets of a connection: the servers that libpq will try, and the time limit for each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..values.light_typing import NamedTuple
from ..values.parsing import canonical_address, is_decimal

_LEAST_TIMEOUT = 2  # libpq raises a connect_timeout of 1 to 2
_NOWHERE = {"host": "/dev/null", "hostaddr": "nowhere"}
_ANONYMOUS = {
    "password": "",
    "passfile": "/dev/null/none",  # an empty value would select the user's own file
    "sslmode": "disable",
    "sslrootcert": "",  # "system" forbids sslmode=disable
    "target_session_attrs": "any",
}
_ANONYMOUS_WHERE_KNOWN = {"gssencmode": "disable", "sslnegotiation": "postgres"}  # libpq 12, 17
_NUMBER = re.compile(r"\s*[-+]?[0-9]+\s*", re.ASCII)
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)


class Target(NamedTuple):
    """A connection string or URI, which may be empty, and the keywords that override it."""

    string: str
    settings: Mapping[str, str]
    unnamed: tuple[str, ...] = ()
    """Keywords of values that came as positional arguments, so that their meaning is uncertain."""


def hosts(settings: Mapping[str, str]) -> list[str]:
    """Return the servers that libpq will try, by its complete settings.

    >>> hosts({"host": "node1,node2"}), hosts({"host": "", "hostaddr": "192.0.2.1"}), hosts({})
    (['node1', 'node2'], ['192.0.2.1'], [])
    """
    named = settings.get("host") or settings.get("hostaddr")
    return named.split(",") if named else []


def names(settings: Mapping[str, str]) -> list[str]:
    """Return the servers, if every one needs a look-up of its name; otherwise an empty list.

    >>> names({"host": "node1,node2"}), names({"host": "node1,10.77.0.2"})
    (['node1', 'node2'], [])
    """
    servers = [] if settings.get("hostaddr") else hosts(settings)
    return [] if any(map(_needs_no_name, servers)) else servers


def _needs_no_name(server: str) -> bool:
    """Return whether a server is an address or a socket, so that it needs no look-up.

    A socket is given by its directory, by its abstract name, or by an empty text for the default.
    """
    return not server or server.startswith(("/", "@")) or canonical_address(server) is not None


def nowhere(settings: Mapping[str, str]) -> dict[str, str]:
    """Return as many servers as in the settings, none of which exists: a trial contacts no server.

    >>> nowhere({"host": "node1,node2"}), nowhere({})
    ({'host': '/dev/null,/dev/null'}, {'host': '/dev/null'})
    """
    given = [name for name in _NOWHERE if settings.get(name)] or ["host"]
    return {
        name: ",".join(_NOWHERE[name] for _ in settings.get(name, "").split(",")) for name in given
    }


def anonymous(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings that override the given ones in a ping, which needs no login.

    They keep the ping from sending a password, and from failing for a local reason: a certificate,
    or a required TLS that the server lacks.

    >>> anonymous({"sslmode": "require"})["sslmode"], "gssencmode" in anonymous({})
    ('disable', False)
    """
    known = {name: value for name, value in _ANONYMOUS_WHERE_KNOWN.items() if name in settings}
    return {**_ANONYMOUS, **known}


def flaw(settings: Mapping[str, str]) -> str:
    """Return the flaw that libpq would report only while it connects; an empty text if none.

    >>> flaw({"port": "5432,,5433", "connect_timeout": "5"}), flaw({"port": "0"})
    ('', 'port is not a number from 1 to 65535')
    """
    for port in filter(None, settings.get("port", "").split(",")):
        if not _NUMBER.fullmatch(port) or not 0 < int(port) < 65536:
            return "port is not a number from 1 to 65535"
    for address in filter(None, settings.get("hostaddr", "").split(",")):
        known = canonical_address(address.partition("%")[0]) is not None
        if not known and not is_decimal(address.replace(".", "")):
            return "hostaddr is not an address"
    wrong = [name for name in _NUMBERS if not _NUMBER.fullmatch(settings.get(name, "0"))]
    return f"{wrong[0]} is not a number" if wrong else ""


def patience(attempts: int, seconds: float, given: str = "") -> str:
    """Return a connect_timeout with which a dead server leaves time for the other servers.

    The given timeout stays an upper limit, and is unchanged for a single server; 0 is no limit.

    >>> patience(2, 8.0), patience(9, 8.0), patience(2, 8.0, "3"), patience(2, 8.0, "0")
    ('4', '2', '3', '4')
    >>> patience(1, 8.0), patience(1, 8.0, "5")
    ('0', '5')
    """
    most = int(given or 0)
    if attempts < 2:
        return str(most)
    share = max(_LEAST_TIMEOUT, int(seconds / attempts))
    return str(min(share, most) if most > 0 else share)
