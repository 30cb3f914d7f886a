"""The begin of PostgreSQL's protocol: the first message of a client, and the server's reply.

The reply to a login that fails has an SQLSTATE, which libpq does not give to its callers.  It
distinguishes a server that refuses a login from one that is starting up (decision 048).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

ACCEPTS = "00000"  # successful_completion
# admin_shutdown, crash_shutdown, cannot_connect_now
ENDING_STATES = ("57P01", "57P02", "57P03")

_VERSION = 3 << 16
_HEADER = 5  # octets: the type of a message, and its length without the type
_LONGEST = 64 * 1024
# AuthenticationXXX, NegotiateProtocolVersion
_ACCEPTING = (b"R", b"v")


def build_startup(parameters: Mapping[str, str]) -> bytes:
    """Return the startup message with these parameters; ``user`` is required.

    >>> build_startup({"user": "a"})
    b'\\x00\\x00\\x00\\x10\\x00\\x03\\x00\\x00user\\x00a\\x00\\x00'
    """
    fields = (part.encode() + b"\0" for pair in parameters.items() for part in pair)
    body = struct.pack("!I", _VERSION) + b"".join(fields) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def read_sqlstate(reply: bytes) -> str | None:
    """Return the SQLSTATE of the server's first message; None if it is not complete.

    A request for a password means that the server accepts connections.  The text is empty for an
    error without an SQLSTATE, as of a server that cannot fork, and for any other protocol.

    >>> read_sqlstate(b"R\\0\\0\\0\\x08\\0\\0\\0\\x05"), read_sqlstate(b"R")
    ('00000', '00000')
    >>> read_sqlstate(b"E\\0\\0\\0\\x0dC57P03\\0M\\0\\0"), read_sqlstate(b"E\\0\\0")
    ('57P03', None)
    >>> read_sqlstate(b"Ecould not fork new process\\n"), read_sqlstate(b"HTTP/1.1 400")
    ('', '')
    """
    if reply[:1] in _ACCEPTING:
        return ACCEPTS
    if reply[:1] not in (b"E", b""):
        return ""
    if len(reply) < _HEADER:
        return None
    (length,) = struct.unpack("!I", reply[1:_HEADER])
    if length > _LONGEST:
        return ""  # a text without a length, from before the protocol is known
    if len(reply) < 1 + length:
        return None
    fields = reply[_HEADER : 1 + length].split(b"\0")
    states = (field[1:].decode("ascii", "replace") for field in fields if field[:1] == b"C")
    return next(states, "")
