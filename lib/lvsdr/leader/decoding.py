"""Typed values from the answers of stores; a value of another type raises Malformed.

Any process may listen at the address of a store, and a store may be of a later version.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode

from ..errors import SourceUnavailable
from ..values.parsing import is_decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_NUMBER = 20  # digits of a number of 64 bits
_DEEPEST = 100  # levels; the answers of stores have fewer than ten
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"?|([\[{])|[\]}]', re.DOTALL)


class Malformed(SourceUnavailable):
    """An answer that does not have the form of the store's answers."""


def parse_json(body: bytes) -> Any:
    """Return the JSON value in a body.

    Deeply nested JSON is rejected: json recurses, and Python 3.9 aborts the whole process after a
    recursion that is too deep (ceval.c: _Py_CheckRecursiveCall).
    """
    try:
        if not _is_flat(body):
            raise ValueError
        return json.loads(body)
    except ValueError:
        raise Malformed("answered with a body that is not JSON") from None


def _is_flat(body: bytes) -> bool:
    """Return whether a body has no more levels than any answer of a store."""
    if body.count(b"[") + body.count(b"{") <= _DEEPEST:
        return True
    depth = 0
    for token in _NESTING.finditer(body):
        if token.lastindex:
            depth += 1
        elif token.group() in (b"]", b"}"):
            depth -= 1
        if depth > _DEEPEST:
            return False
    return True


def require_object(value: object, subject: str) -> dict[str, Any]:
    """Return an object of JSON; ``subject`` names it in the message."""
    if not isinstance(value, dict):
        raise Malformed(f"answered with {subject} that is no object")
    return value


def require_single(value: object, subject: str) -> Any:
    """Return the only element of a list; None if the list is empty."""
    if not isinstance(value, list) or len(value) > 1 or value == [None]:
        raise Malformed(f"answered with {subject} that is no list of one element")
    return value[0] if value else None


def require_number(value: object, subject: str, quoted: bool = False) -> int:
    """Return an integer of 0 or more; with ``quoted``, it may be in quotes, as in protobuf."""
    if quoted and isinstance(value, str):
        if is_decimal(value, LONGEST_NUMBER):
            return int(value)
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Malformed(f"answered with {subject} that is no number")


def require_text(value: object, subject: str) -> str:
    """Return a text, which may be empty."""
    if not isinstance(value, str):
        raise Malformed(f"answered with {subject} that is no text")
    return value


def decode_base64(value: object, subject: str) -> bytes:
    """Return the bytes of a text in base64."""
    try:
        return b64decode(require_text(value, subject).encode("ascii"), validate=True)
    except ValueError:
        raise Malformed(f"answered with {subject} that is not in base64") from None
