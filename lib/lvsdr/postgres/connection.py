"""Targets of a connection: the servers that libpq will try, and the time limit for each."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..values.light_typing import NamedTuple
from ..values.parsing import canonical_address, is_decimal

_LEAST_TIMEOUT = 2  # libpq raises a connect_timeout of 1 to 2
_UNREACHABLE = {"host": "/dev/null", "hostaddr": "nowhere"}
_PING_OVERRIDES = {
    "password": "",
    "passfile": "/dev/null/none",  # an empty value would select the user's own file
    "sslmode": "disable",
    "sslrootcert": "",  # "system" forbids sslmode=disable
    "target_session_attrs": "any",
}
_NEWER_PING_OVERRIDES = {"gssencmode": "disable", "sslnegotiation": "postgres"}  # libpq 12, 17
_NUMBER = re.compile(r"\s*[-+]?[0-9]+\s*", re.ASCII)
_NUMERIC_KEYWORDS = (
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
    positional: tuple[str, ...] = ()
    """Keywords of values that came as positional arguments, so that their meaning is uncertain."""


def list_servers(settings: Mapping[str, str]) -> list[str]:
    """Return the servers that libpq will try, by its complete settings.

    >>> list_servers({"host": "node1,node2"}), list_servers({})
    (['node1', 'node2'], [])
    >>> list_servers({"host": "", "hostaddr": "192.0.2.1"})
    ['192.0.2.1']
    """
    server_list = settings.get("host") or settings.get("hostaddr")
    return server_list.split(",") if server_list else []


def list_lookup_names(settings: Mapping[str, str]) -> list[str]:
    """Return the servers, if every one needs a look-up of its name; otherwise an empty list.

    >>> list_lookup_names({"host": "node1,node2"}), list_lookup_names({"host": "node1,10.77.0.2"})
    (['node1', 'node2'], [])
    """
    servers = [] if settings.get("hostaddr") else list_servers(settings)
    return [] if any(map(_needs_no_lookup, servers)) else servers


def _needs_no_lookup(server: str) -> bool:
    """Return whether a server is an address or a socket, so that it needs no look-up.

    A socket is given by its directory, by its abstract name, or by an empty text for the default.
    """
    return not server or server.startswith(("/", "@")) or canonical_address(server) is not None


def build_unreachable_servers(settings: Mapping[str, str]) -> dict[str, str]:
    """Return as many servers as in the settings, none of which exists: a trial contacts no server.

    >>> build_unreachable_servers({"host": "node1,node2"}), build_unreachable_servers({})
    ({'host': '/dev/null,/dev/null'}, {'host': '/dev/null'})
    """
    keywords = [keyword for keyword in _UNREACHABLE if settings.get(keyword)] or ["host"]
    return {
        keyword: ",".join(_UNREACHABLE[keyword] for _ in settings.get(keyword, "").split(","))
        for keyword in keywords
    }


def build_ping_overrides(settings: Mapping[str, str]) -> dict[str, str]:
    """Return settings that override the given ones in a ping, which needs no login.

    They keep the ping from sending a password, and from failing for a local reason: a certificate,
    or a required TLS that the server lacks.

    >>> build_ping_overrides({"sslmode": "require"})["sslmode"]
    'disable'
    >>> "gssencmode" in build_ping_overrides({})
    False
    """
    newer_overrides = {
        name: value for name, value in _NEWER_PING_OVERRIDES.items() if name in settings
    }
    return {**_PING_OVERRIDES, **newer_overrides}


def find_settings_flaw(settings: Mapping[str, str]) -> str:
    """Return the flaw that libpq would report only while it connects; an empty text if none.

    >>> find_settings_flaw({"port": "5432,,5433", "connect_timeout": "5"})
    ''
    >>> find_settings_flaw({"port": "0"})
    'port is not a number from 1 to 65535'
    """
    for port in filter(None, settings.get("port", "").split(",")):
        if not _NUMBER.fullmatch(port) or not 0 < int(port) < 65536:
            return "port is not a number from 1 to 65535"
    for address in filter(None, settings.get("hostaddr", "").split(",")):
        is_address = canonical_address(address.partition("%")[0]) is not None
        if not is_address and not is_decimal(address.replace(".", "")):
            return "hostaddr is not an address"
    wrong_names = [
        name for name in _NUMERIC_KEYWORDS if not _NUMBER.fullmatch(settings.get(name, "0"))
    ]
    return f"{wrong_names[0]} is not a number" if wrong_names else ""


def choose_connect_timeout(attempts: int, seconds: float, given_timeout: str = "") -> str:
    """Return a connect_timeout with which a dead server leaves time for the other servers.

    The given timeout stays an upper limit, and is unchanged for a single server; 0 is no limit.

    >>> choose_connect_timeout(2, 8.0), choose_connect_timeout(9, 8.0)
    ('4', '2')
    >>> choose_connect_timeout(2, 8.0, "3"), choose_connect_timeout(2, 8.0, "0")
    ('3', '4')
    >>> choose_connect_timeout(1, 8.0), choose_connect_timeout(1, 8.0, "5")
    ('0', '5')
    """
    upper_limit = int(given_timeout or 0)
    if attempts < 2:
        return str(upper_limit)
    share = max(_LEAST_TIMEOUT, int(seconds / attempts))
    return str(min(share, upper_limit) if upper_limit > 0 else share)
