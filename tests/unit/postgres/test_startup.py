"""The first messages of PostgreSQL's protocol."""

from __future__ import annotations

import struct

import pytest
from lvsdr.postgres.startup import ACCEPTS, build_startup, read_sqlstate


def error(*fields: str) -> bytes:
    body = b"".join(field.encode() + b"\0" for field in fields) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body


def test_a_startup_message_has_its_own_length() -> None:
    message = build_startup({"user": "monitor", "database": "postgres"})
    assert struct.unpack("!I", message[:4]) == (len(message),)
    assert message[8:] == b"user\0monitor\0database\0postgres\0\0"


def test_an_error_in_any_pieces() -> None:
    whole = error("SFATAL", "VFATAL", "C53300", "Msorry, too many clients already")
    assert read_sqlstate(whole) == "53300"
    assert read_sqlstate(whole + b"more") == "53300"
    assert [read_sqlstate(whole[:end]) for end in range(len(whole))] == [None] * len(whole)


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (b"R\0\0\0\x08\0\0\0\0", ACCEPTS),
        (b"v", ACCEPTS),
        (error("MC57P03"), ""),
        (b"E\0\0\0\x08C\xff\0\0", "\ufffd"),
        (b"Ecould not fork new process for connection: Cannot allocate memory\n", ""),
        (b"SSH-2.0-OpenSSH", ""),
        (b"\0\0\0\0\0\0", ""),
    ],
)
def test_other_replies(reply: bytes, state: str) -> None:
    assert read_sqlstate(reply) == state
