"""The connection of libpq to a server: its settings, their check, and the connection itself.

All this may block without limit, and it changes the environment.  So it runs in a child process
that has a deadline and reports each step in advance.
"""

from __future__ import annotations

import os

from ..errors import InvalidParameters, NotAsked, NotInstalled, Rejected, SourceUnavailable
from ..postgres.connection import (
    Target,
    build_ping_overrides,
    build_unreachable_servers,
    choose_connect_timeout,
    find_settings_flaw,
    list_lookup_names,
    list_servers,
)
from ..postgres.redaction import join_lines, redact_complaint, redact_parse_error, redact_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from psycopg.pq.abc import PGconn

    Saying = Callable[[str], None]

LOOKING_UP = "looking up "
CONNECTING = "connecting"
_HINT = "Debian: python3-psycopg, EL and Fedora: python3-psycopg3"
_FROM_OUTSIDE = {"service": "PGSERVICE", "servicefile": "PGSERVICEFILE"}


def settings(target: Target) -> dict[str, str]:
    """Return the settings of the target as libpq reads them, by keyword."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except Exception as error:  # an old psycopg on a new Python raises more than ImportError
        why = f"psycopg cannot be loaded: {join_lines(str(error))} ({_HINT})"
        raise NotInstalled(why) from None
    try:
        found = conninfo_to_dict(target.string)
    except ProgrammingError as error:
        raise InvalidParameters([redact_parse_error(target.string, str(error))]) from None
    return {"fallback_application_name": "lvsdr", **found, **target.settings}


def known(given: dict[str, str]) -> dict[str, str]:
    """Return the settings, completed from a service, the environment and libpq's defaults."""
    from psycopg.pq import Conninfo

    for keyword, variable in _FROM_OUTSIDE.items():
        if given.get(keyword):
            os.environ[variable] = given[keyword]  # get_defaults reads the service from there
    found = ((option.keyword, option.val) for option in Conninfo.get_defaults())
    added = {name.decode(): text(value) for name, value in found if value is not None}
    return {**added, **given}


def connected(target: Target, given: dict[str, str], seconds: float, doing: Saying) -> PGconn:
    """Return a connection to the first server that accepts; servers share the time.

    Raises InvalidParameters or NotAsked if no server could be queried.  Raises Rejected if a server
    answers and refuses the connection, or else SourceUnavailable.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import ConnStatus, PGconn, Ping

    all_known = known(given)
    _require_usable(target, given, all_known)
    addresses = _look_up(
        {name: redact_server(name, target, all_known) for name in list_lookup_names(all_known)},
        doing,
    )
    servers = [redact_server(server, target, all_known) for server in list_servers(all_known)]
    connecting = f"{CONNECTING} to {', '.join(servers)}" if servers else CONNECTING
    doing(connecting)
    timeout = choose_connect_timeout(
        len(servers) + addresses - 1, seconds, all_known.get("connect_timeout", "")
    )
    timed = {**given, "connect_timeout": timeout}
    connection = PGconn.connect(make_conninfo(**timed).encode())
    if connection.status == ConnStatus.OK:
        return connection
    complaint = redact_complaint(text(connection.error_message), target, all_known)
    # libpq evaluates the SQLSTATE of a failed connection only in its ping.
    doing(f"{connecting} once more, after: {complaint}")
    alive = (
        PGconn.ping(make_conninfo(**{**timed, **build_ping_overrides(all_known)}).encode())
        == Ping.OK
    )
    raise (Rejected if alive else SourceUnavailable)(complaint)


def _require_usable(target: Target, given: dict[str, str], all_known: dict[str, str]) -> None:
    """Raise InvalidParameters if libpq would give up before it contacts any server.

    libpq reports such settings only as the result NO_ATTEMPT of a ping.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn, Ping

    problem = find_settings_flaw(all_known)
    if problem:
        raise InvalidParameters([problem])
    if (
        PGconn.ping(make_conninfo(**{**given, **build_unreachable_servers(all_known)}).encode())
        == Ping.NO_ATTEMPT
    ):
        complaint = PGconn.connect(make_conninfo(**given).encode()).error_message
        raise InvalidParameters([redact_complaint(text(complaint), target, all_known)])


def _look_up(servers: dict[str, str], doing: Saying) -> int:
    """Return the number of addresses of the first server that has any.

    Raises NotAsked if none has an address, which libpq does not distinguish from no answer.
    Returns 1 if there is no name to look up.
    """
    from .net.resolver import look_up

    problems = []
    for name, shown_as in servers.items():
        doing(f"{LOOKING_UP}{shown_as}")
        try:
            return len(look_up(name, 0))  # AF_UNSPEC
        except OSError as error:
            problems.append(f"{shown_as} has no address: {error.strerror or error}")
    if problems:
        raise NotAsked("; ".join(problems))
    return 1


def text(said: bytes) -> str:
    """Decode a text of libpq or of a server."""
    return said.decode("utf-8", "replace")
