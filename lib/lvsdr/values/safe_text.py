"""Text from outside (names, parameters, errors of programs) in a form that is safe to use."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:+-")


def format_one_line(text: str, limit: int = 2000) -> str:
    r"""Return ``text`` as a single printable line of at most ``limit`` characters.

    Pacemaker cuts an exit reason at the first newline.  A control character in a log is an attack.

    >>> format_one_line("refused:\n  no such\x1b[1m host\n")
    'refused: no such\\x1b[1m host'
    >>> format_one_line("a" * 30, limit=10)
    'aaaaaaa...'
    """
    line = " ".join(filter(None, (part.strip() for part in text.splitlines())))
    if not line.isprintable():
        line = "".join(_escape(character) for character in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _escape(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def read_instance_name(environ: Mapping[str, str], agent: str) -> str:
    """Return the name of the resource, with characters escaped that a file name must not have.

    >>> read_instance_name({"OCF_RESOURCE_INSTANCE": "read-vip:0"}, "lvsdr")
    'read-vip:0'
    >>> read_instance_name({"OCF_RESOURCE_INSTANCE": "../etc/100%"}, "lvsdr")
    '%2E.%2Fetc%2F100%25'
    >>> read_instance_name({}, "lvsdr")
    'lvsdr'
    """
    name = environ.get("OCF_RESOURCE_INSTANCE") or agent
    escaped = "".join(c if c in _SAFE else f"%{ord(c):02X}" for c in name)
    return f"%2E{escaped[1:]}" if escaped.startswith(".") else escaped
