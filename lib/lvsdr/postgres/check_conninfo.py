"""The libpq settings of the check ``postgres`` as a user writes them, without any server.

libpq itself reads the text later.  This module finds the mistakes that libpq would not report: a
setting that the check replaces, or that changes the meaning of its query.
"""

from __future__ import annotations

import re

_SPACE = re.compile(r"\s*")
_KEYWORD = re.compile(r"\s*([A-Za-z_]+)\s*=\s*")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_PLAIN = re.compile(r"(?:[^\s'\\]|\\.)*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

_REPLACED = {
    **dict.fromkeys(("host", "hostaddr"), "each real server has its own"),
    "port": "it is the port of the service",
    **dict.fromkeys(
        ("target_session_attrs", "load_balance_hosts"), "each check concerns one server"
    ),
    "replication": "the check sends a query",
    "connect_timeout": "realserver_check_timeout limits the whole check",
}


def parse_conninfo(text: str) -> dict[str, str]:
    """Return the settings by keyword; raise ValueError, without a value in the message.

    >>> parse_conninfo("user=monitor passfile = '/etc/lvsdr/pass word'")
    {'user': 'monitor', 'passfile': '/etc/lvsdr/pass word'}
    >>> parse_conninfo("user=monitor host=node1")
    Traceback (most recent call last):
    ValueError: leave out host: each real server has its own
    """
    if "://" in text.partition("=")[0]:
        raise ValueError("a URI names a server: write keyword=value pairs")
    found: dict[str, str] = {}
    place = 0
    while place < len(text.rstrip()):
        keyword, value, place = _parse_pair(text, place)
        if keyword in found:
            raise ValueError(f"{keyword} is there twice")
        if keyword in _REPLACED:
            raise ValueError(f"leave out {keyword}: {_REPLACED[keyword]}")
        found[keyword] = value
    if found.get("passfile", "/")[:1] != "/":
        raise ValueError("passfile is not an absolute path")
    return found


def _parse_pair(text: str, start: int) -> tuple[str, str, int]:
    """Return keyword and value at a place, and the place behind them."""
    keyword = _KEYWORD.match(text, start)
    if keyword is None:
        number = len(text[:start].split()) + 1
        raise ValueError(f"word {number} is no keyword=value pair")
    quoted = text[keyword.end() : keyword.end() + 1] == "'"
    value = (_QUOTED if quoted else _PLAIN).match(text, keyword.end())
    if value is None:
        raise ValueError(f"the quote of {keyword[1]} is not closed")
    end = value.end()
    if end < len(text) and not text[end].isspace():
        raise ValueError(f"the value of {keyword[1]} is not quoted as a whole")
    return keyword[1], _ESCAPED.sub(r"\1", value[quoted]), end
