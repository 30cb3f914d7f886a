"""Values in the answers of stores: each has the type that is expected, or the answer is Malformed.

Any process may listen where a store is expected, and a store may be of a later version.
"""

from __future__ import annotations

import json
from base64 import b64decode

from ..errors import SourceUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 20  # digits of a number of 64 bits


class Malformed(SourceUnavailable):
    """An answer that has not the form of the store's answers."""


def parsed(body: bytes) -> Any:
    """Return the JSON value in a body."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("answered something that is not JSON") from None


def mapping(value: object, what: str) -> dict[str, Any]:
    """Return an object of JSON; ``what`` names it in the message."""
    if not isinstance(value, dict):
        raise Malformed(f"answered with {what} that is no object")
    return value


def only(value: object, what: str) -> Any:
    """Return the one element of a list, None if it is empty."""
    if not isinstance(value, list) or len(value) > 1 or value == [None]:
        raise Malformed(f"answered with {what} that is no list of one")
    return value[0] if value else None


def whole(value: object, what: str, quoted: bool = False) -> int:
    """Return a whole number of 0 or more; ``quoted``: it may be in quotes, as protobuf has it."""
    if quoted and isinstance(value, str) and value.isascii() and value.isdecimal():
        if len(value) <= _LONGEST:
            return int(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Malformed(f"answered with {what} that is no number")


def text(value: object, what: str) -> str:
    """Return a text, which may be empty."""
    if not isinstance(value, str):
        raise Malformed(f"answered with {what} that is no text")
    return value


def decoded(value: object, what: str) -> bytes:
    """Return the bytes that a text has in base64."""
    try:
        return b64decode(text(value, what).encode("ascii"), validate=True)
    except ValueError:
        raise Malformed(f"answered with {what} that is not in base64") from None
