"""Messages about a connection, without a password in them.

The messages of libpq quote its settings.  Parsing a malformed string, libpq may mistake a password
for another setting.  So some pieces of a message are left out if the settings may contain a
password.  A piece is repeated only if it is an address, or if its keyword proves its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ..values.parsing import canonical_address, is_host
from .connection import Target

_PASSWORD_SIGN = re.compile(r"(pass(?!file)\w*|pwd)\s*=|://|@", re.IGNORECASE)
_SIGNS = frozenset("=:/&]")
_UNNAMED_HOST = "the named host"


def may_contain_password(text: str) -> bool:
    """Return whether a text may contain a password.

    >>> list(map(may_contain_password, ("password=x", "u:x@node1", "Postgres://u", "passfile=/x")))
    [True, True, True, False]
    """
    return _PASSWORD_SIGN.search(text) is not None


def join_lines(message: str) -> str:
    """Join the lines of a libpq message, one for each host, without its indented hints.

    >>> join_lines("connection to a failed: no\\n\\tIs it running?\\nconnection to b failed: no\\n")
    'connection to a failed: no; connection to b failed: no'
    """
    lines = [line for line in message.splitlines() if not line.startswith("\t")]
    return "; ".join(filter(None, (" ".join(line.split()) for line in lines)))


def redact_parse_error(string: str, complaint: str) -> str:
    """Return libpq's message about a string that it cannot parse, without pieces of the string.

    >>> redact_parse_error("user=u password=to be", 'missing "=" after "be" in connection info')
    'malformed connection string: missing "=" after ... in connection info'
    >>> redact_parse_error("hots=node1", 'invalid connection option "hots"')
    'malformed connection string: invalid connection option "hots"'
    """
    # A piece without a keyword may be the rest of any value.
    if may_contain_password(string) or complaint.startswith('missing "=" after'):
        complaint = _remove_pieces(complaint, ())
    return f"malformed connection string: {join_lines(complaint)}"


def redact_complaint(complaint: str, target: Target, known_settings: Mapping[str, str]) -> str:
    """Return a message of libpq or a server, without pieces of the target that may be a password.

    ``known_settings`` has the settings that libpq read from the target and all other places.

    >>> named = {"user": "alice", "port": "s3cret"}
    >>> redact_complaint('no "s3cret" for "alice"', Target("postgres://alice:s3cret/x", {}), named)
    'no ...'
    >>> redact_complaint('no database for "alice"', Target("user=alice password=s3cret", {}), named)
    'no database for "alice"'
    """
    if _target_may_contain_password(target):
        complaint = _remove_pieces(complaint, _find_certain_values(target, known_settings))
    return join_lines(complaint)


def redact_server(server: str, target: Target, known_settings: Mapping[str, str]) -> str:
    """Return the name of a server, if it certainly is one.

    >>> redact_server("node1", Target("host=node1 password=x", {}), {"host": "node1"})
    'node1'
    >>> target = Target("password=x", {"host": "s3cret"}, ("host",))
    >>> redact_server("s3cret", target, {"host": "s3cret"})
    'the named host'
    """
    is_certain = (
        canonical_address(server)
        or not _target_may_contain_password(target)
        or server in _find_certain_values(target, known_settings)
    )
    return server if is_certain and is_server(server) else _UNNAMED_HOST


def is_server(text: str) -> bool:
    """Return whether a text can name a server: a host, or the directory of a socket.

    >>> [is_server(text) for text in ("node1", "fe80::1%eth0", "/run/postgresql", "u:p@node1")]
    [True, True, True, False]
    """
    host, percent, _ = text.partition("%")
    is_name = canonical_address(host) is not None if percent else is_host(text)
    return text.startswith("/") or is_name


def _target_may_contain_password(target: Target) -> bool:
    """Return whether a password may be in the target.

    True also when a ``host`` value is not a valid host: it may be a misplaced password.
    """
    servers = filter(None, target.settings.get("host", "").split(","))
    return any(map(may_contain_password, (target.string, *target.settings.values()))) or not all(
        map(is_server, servers)
    )


def _find_certain_values(target: Target, known_settings: Mapping[str, str]) -> set[str]:
    """Return the values that are no passwords, as their keywords prove."""
    texts = (target.string, *target.settings.values(), *known_settings.values())
    if _is_ambiguous(target.string) or any('"' in text for text in texts):
        return set()  # a quote in a value would end a piece too soon
    named_settings = {
        name: value for name, value in known_settings.items() if name not in target.positional
    }
    servers = set(filter(is_server, named_settings.get("host", "").split(",")))
    ports = known_settings.get("port", "").split(",")
    sockets = {f"{server}/.s.PGSQL.{port or 5432}" for server in servers for port in ports}
    other_values = {named_settings.get("user", ""), named_settings.get("dbname", "")}
    return {piece for piece in servers | sockets | other_values if not may_contain_password(piece)}


def _is_ambiguous(string: str) -> bool:
    """Return whether host and port of a URI may be meant as user and password."""
    authority = string.partition("://")[2].partition("/")[0]
    return ":" in authority and "@" not in authority


def _remove_pieces(complaint: str, certain_values: Collection[str]) -> str:
    """Remove quoted pieces, from the first uncertain one on: it may contain quotes itself.

    >>> _remove_pieces('to "node1" (192.0.2.1): no "a"b"!', {"node1"})
    'to "node1" (192.0.2.1): no ...!'
    """
    kept_text, rest = "", complaint
    while rest.count('"') > 1:
        before, piece, after = rest.split('"', 2)
        if piece not in certain_values and piece not in _SIGNS and canonical_address(piece) is None:
            last = rest.rpartition('"')[2]
            return f"{kept_text}{before}...{last}"
        kept_text, rest = f'{kept_text}{before}"{piece}"', after
    return kept_text + rest
