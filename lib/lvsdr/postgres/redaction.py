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

_SECRETIVE = re.compile(r"(pass(?!file)\w*|pwd)\s*=|://|@", re.IGNORECASE)
_SIGNS = frozenset("=:/&]")
_SOMEBODY = "the named host"


def secretive(text: str) -> bool:
    """Return whether a text may contain a password.

    >>> [secretive(text) for text in ("password=x", "u:x@node1", "Postgres://u:x", "passfile=/x")]
    [True, True, True, False]
    """
    return _SECRETIVE.search(text) is not None


def one_line(message: str) -> str:
    """Join the lines of a libpq message, one for each host, without its indented hints.

    >>> one_line("connection to a failed: no\\n\\tIs it running?\\nconnection to b failed: no\\n")
    'connection to a failed: no; connection to b failed: no'
    """
    lines = [line for line in message.splitlines() if not line.startswith("\t")]
    return "; ".join(filter(None, (" ".join(line.split()) for line in lines)))


def malformed(string: str, complaint: str) -> str:
    """Return libpq's message about a string that it cannot parse, without pieces of the string.

    >>> malformed("user=u password=to be", 'missing "=" after "be" in connection info string')
    'malformed connection string: missing "=" after ... in connection info string'
    >>> malformed("hots=node1", 'invalid connection option "hots"')
    'malformed connection string: invalid connection option "hots"'
    """
    # A piece without a keyword may be the rest of any value.
    if secretive(string) or complaint.startswith('missing "=" after'):
        complaint = _without_pieces(complaint, ())
    return f"malformed connection string: {one_line(complaint)}"


def failed(complaint: str, target: Target, known: Mapping[str, str]) -> str:
    """Return a message of libpq or a server, without pieces of the target that may be a password.

    ``known`` has the settings that libpq read from the target and all other places.

    >>> named = {"user": "alice", "port": "s3cret"}
    >>> failed('no "s3cret" for "alice"', Target("postgresql://alice:s3cret/x", {}), named)
    'no ...'
    >>> failed('no database for "alice"', Target("user=alice password=s3cret", {}), named)
    'no database for "alice"'
    """
    if _may_hold_one(target):
        complaint = _without_pieces(complaint, _certain(target, known))
    return one_line(complaint)


def shown(server: str, target: Target, known: Mapping[str, str]) -> str:
    """Return the name of a server, if it certainly is one.

    >>> shown("node1", Target("host=node1 password=x", {}), {"host": "node1"})
    'node1'
    >>> shown("s3cret", Target("password=x", {"host": "s3cret"}, ("host",)), {"host": "s3cret"})
    'the named host'
    """
    certain = (
        canonical_address(server) or not _may_hold_one(target) or server in _certain(target, known)
    )
    return server if certain and is_server(server) else _SOMEBODY


def is_server(text: str) -> bool:
    """Return whether a text can name a server: a host, or the directory of a socket.

    >>> [is_server(text) for text in ("node1", "fe80::1%eth0", "/run/postgresql", "u:p@node1")]
    [True, True, True, False]
    """
    host, percent, _ = text.partition("%")
    is_name = canonical_address(host) is not None if percent else is_host(text)
    return text.startswith("/") or is_name


def _may_hold_one(target: Target) -> bool:
    """Return whether a password may be in the target.

    True also when a ``host`` value is not a valid host: it may be a misplaced password.
    """
    servers = filter(None, target.settings.get("host", "").split(","))
    return any(map(secretive, (target.string, *target.settings.values()))) or not all(
        map(is_server, servers)
    )


def _certain(target: Target, known: Mapping[str, str]) -> set[str]:
    """Return the values that are no passwords, as their keywords prove."""
    texts = (target.string, *target.settings.values(), *known.values())
    if _is_ambiguous(target.string) or any('"' in text for text in texts):
        return set()  # a quote in a value would end a piece too soon
    named = {name: value for name, value in known.items() if name not in target.unnamed}
    servers = set(filter(is_server, named.get("host", "").split(",")))
    ports = known.get("port", "").split(",")
    sockets = {f"{server}/.s.PGSQL.{port or 5432}" for server in servers for port in ports}
    others = {named.get("user", ""), named.get("dbname", "")}
    return {piece for piece in servers | sockets | others if not secretive(piece)}


def _is_ambiguous(string: str) -> bool:
    """Return whether host and port of a URI may be meant as user and password."""
    authority = string.partition("://")[2].partition("/")[0]
    return ":" in authority and "@" not in authority


def _without_pieces(complaint: str, certain: Collection[str]) -> str:
    """Remove quoted pieces, from the first uncertain one on: it may contain quotes itself.

    >>> _without_pieces('to "node1" (192.0.2.1): no "a"b"!', {"node1"})
    'to "node1" (192.0.2.1): no ...!'
    """
    kept, rest = "", complaint
    while rest.count('"') > 1:
        before, piece, after = rest.split('"', 2)
        if piece not in certain and piece not in _SIGNS and canonical_address(piece) is None:
            last = rest.rpartition('"')[2]
            return f"{kept}{before}...{last}"
        kept, rest = f'{kept}{before}"{piece}"', after
    return kept + rest
