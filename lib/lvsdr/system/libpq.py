"""The connection of libpq to a server: its settings, their check, and the connection itself.

All this may block without limit, and it changes the environment.  So it runs in a child process
that has a deadline and reports each step in advance.
"""

from __future__ import annotations

import os

from ..dependencies import find_distribution_modules
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

    StepReporter = Callable[[str], None]

LOOKING_UP = "looking up "
CONNECTING = "connecting"
_HINT = "Debian: python3-psycopg, EL and Fedora: python3-psycopg3"
_SERVICE_VARIABLES = {"service": "PGSERVICE", "servicefile": "PGSERVICEFILE"}


def parse_settings(target: Target) -> dict[str, str]:
    """Return the settings of the target as libpq reads them, by keyword."""
    find_distribution_modules()  # a watcher runs with -S
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except Exception as error:  # an old psycopg on a new Python raises more than ImportError
        reason = f"psycopg cannot be loaded: {join_lines(str(error))} ({_HINT})"
        raise NotInstalled(reason) from None
    try:
        string_settings = conninfo_to_dict(target.string)
    except ProgrammingError as error:
        raise InvalidParameters([redact_parse_error(target.string, str(error))]) from None
    return {"fallback_application_name": "lvsdr", **string_settings, **target.settings}


def complete_settings(given_settings: dict[str, str]) -> dict[str, str]:
    """Return the settings, completed from a service, the environment and libpq's defaults."""
    from psycopg.pq import Conninfo

    for keyword, variable in _SERVICE_VARIABLES.items():
        if given_settings.get(keyword):
            # get_defaults reads the service from there.
            os.environ[variable] = given_settings[keyword]
    defaults = ((option.keyword, option.val) for option in Conninfo.get_defaults())
    added_settings = {
        name.decode(): decode_text(value) for name, value in defaults if value is not None
    }
    return {**added_settings, **given_settings}


def connect(
    target: Target, given_settings: dict[str, str], seconds: float, report_step: StepReporter
) -> PGconn:
    """Return a connection to the first server that accepts; servers share the time.

    Raises InvalidParameters or NotAsked if no server could be queried.  Raises Rejected if a server
    answers and refuses the connection, or else SourceUnavailable.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import ConnStatus, PGconn, Ping

    all_settings = complete_settings(given_settings)
    _require_usable(target, given_settings, all_settings)
    address_count = _count_addresses(
        {
            name: redact_server(name, target, all_settings)
            for name in list_lookup_names(all_settings)
        },
        report_step,
    )
    servers = [redact_server(server, target, all_settings) for server in list_servers(all_settings)]
    step = f"{CONNECTING} to {', '.join(servers)}" if servers else CONNECTING
    report_step(step)
    timeout = choose_connect_timeout(
        len(servers) + address_count - 1, seconds, all_settings.get("connect_timeout", "")
    )
    timed_settings = {**given_settings, "connect_timeout": timeout}
    connection = PGconn.connect(make_conninfo(**timed_settings).encode())
    if connection.status == ConnStatus.OK:
        return connection
    complaint = redact_complaint(decode_text(connection.error_message), target, all_settings)
    # libpq evaluates the SQLSTATE of a failed connection only in its ping.
    report_step(f"{step} once more, after: {complaint}")
    is_alive = (
        PGconn.ping(
            make_conninfo(**{**timed_settings, **build_ping_overrides(all_settings)}).encode()
        )
        == Ping.OK
    )
    raise (Rejected if is_alive else SourceUnavailable)(complaint)


def _require_usable(
    target: Target, given_settings: dict[str, str], all_settings: dict[str, str]
) -> None:
    """Raise InvalidParameters if libpq would give up before it contacts any server.

    libpq reports such settings only as the result NO_ATTEMPT of a ping.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn, Ping

    flaw = find_settings_flaw(all_settings)
    if flaw:
        raise InvalidParameters([flaw])
    if (
        PGconn.ping(
            make_conninfo(**{**given_settings, **build_unreachable_servers(all_settings)}).encode()
        )
        == Ping.NO_ATTEMPT
    ):
        complaint = PGconn.connect(make_conninfo(**given_settings).encode()).error_message
        raise InvalidParameters([redact_complaint(decode_text(complaint), target, all_settings)])


def _count_addresses(servers: dict[str, str], report_step: StepReporter) -> int:
    """Return the number of addresses of the first server that has any.

    Raises NotAsked if none has an address, which libpq does not distinguish from no answer.
    Returns 1 if there is no name to look up.
    """
    from .net.resolver import look_up

    problems = []
    for name, shown_name in servers.items():
        report_step(f"{LOOKING_UP}{shown_name}")
        try:
            return len(look_up(name, 0))  # AF_UNSPEC
        except OSError as error:
            problems.append(f"{shown_name} has no address: {error.strerror or error}")
    if problems:
        raise NotAsked("; ".join(problems))
    return 1


def decode_text(encoded: bytes) -> str:
    """Decode a text of libpq or of a server."""
    return encoded.decode("utf-8", "replace")
