"""How libpq gets to a server: what it goes by, whether that will do, and the connection.

All this waits as long as it likes, and it changes the environment: it is for a child that can be
given up, and that says what it is about to do.
"""

from __future__ import annotations

import os

from ..errors import InvalidParameters, NotAsked, NotInstalled, Rejected, SourceUnavailable
from ..postgres.complaints import failed, malformed, one_line, shown
from ..postgres.connection import Target, anonymous, flaw, hosts, names, nowhere, patience

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
    """What libpq reads in the target, by its keywords."""
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except Exception as error:  # an old psycopg and a new Python do not stop at ImportError
        why = f"psycopg cannot be loaded: {one_line(str(error))} ({_HINT})"
        raise NotInstalled(why) from None
    try:
        found = conninfo_to_dict(target.string)
    except ProgrammingError as error:
        raise InvalidParameters([malformed(target.string, str(error))]) from None
    return {"fallback_application_name": "lvsdr", **found, **target.settings}


def known(given: dict[str, str]) -> dict[str, str]:
    """The settings, and what a service, the environment and libpq itself add to them."""
    from psycopg.pq import Conninfo

    for keyword, variable in _FROM_OUTSIDE.items():
        if given.get(keyword):
            os.environ[variable] = given[keyword]  # there the function below looks for it
    found = ((option.keyword, option.val) for option in Conninfo.get_defaults())
    added = {name.decode(): text(value) for name, value in found if value is not None}
    return {**added, **given}


def connected(target: Target, given: dict[str, str], seconds: float, doing: Saying) -> PGconn:
    """A connection to the first server that gives one, which has its share of the time.

    Raises InvalidParameters or NotAsked if nobody could be asked, Rejected if a server answers and
    gives no connection, or else SourceUnavailable.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import ConnStatus, PGconn, Ping

    all_known = known(given)
    _require_usable(target, given, all_known)
    addresses = _look_up({name: shown(name, target, all_known) for name in names(all_known)}, doing)
    servers = [shown(server, target, all_known) for server in hosts(all_known)]
    connecting = f"{CONNECTING} to {', '.join(servers)}" if servers else CONNECTING
    doing(connecting)
    timeout = patience(len(servers) + addresses - 1, seconds, all_known.get("connect_timeout", ""))
    timed = {**given, "connect_timeout": timeout}
    connection = PGconn.connect(make_conninfo(**timed).encode())
    if connection.status == ConnStatus.OK:
        return connection
    complaint = failed(text(connection.error_message), target, all_known)
    # libpq has the SQLSTATE of a failed connection, and shows it to nothing but its ping.
    doing(f"{connecting} once more, after: {complaint}")
    alive = PGconn.ping(make_conninfo(**{**timed, **anonymous(all_known)}).encode()) == Ping.OK
    raise (Rejected if alive else SourceUnavailable)(complaint)


def _require_usable(target: Target, given: dict[str, str], all_known: dict[str, str]) -> None:
    """See that libpq would not give up before it asks anybody, and why it would.

    It says which of the two it was only of an attempt to ping.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn, Ping

    problem = flaw(all_known)
    if problem:
        raise InvalidParameters([problem])
    if PGconn.ping(make_conninfo(**{**given, **nowhere(all_known)}).encode()) == Ping.NO_ATTEMPT:
        complaint = PGconn.connect(make_conninfo(**given).encode()).error_message
        raise InvalidParameters([failed(text(complaint), target, all_known)])


def _look_up(servers: dict[str, str], doing: Saying) -> int:
    """See that one of them has an address: libpq tells no difference between that and no answer.

    Returns how many it has; one if nobody is to be looked up.
    """
    from .resolver import look_up

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
    """What libpq or a server says."""
    return said.decode("utf-8", "replace")
