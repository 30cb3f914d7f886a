"""Parsers of option values: each converts a text to a value, or raises ValueError.

The message of the error states the legal values.
"""

from __future__ import annotations

import os
import re

from ..address.interfaces import parse_interface_name
from ..address.prefixes import parse_prefix_length
from ..ocf.value_parsers import Parser, boolean
from ..values.parsing import (
    UNITS,
    canonical_address,
    parse_decimal,
    parse_unicast_address,
    split_endpoint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_STORES = {"etcd": "etcd", "etcd3": "etcd", "consul": "consul", "patroni": "patroni"}
_GO_BOOLEANS = {"t": "true", "T": "true", "f": "false", "F": "false"}
_MOST_SECONDS = 86400.0


def build_list_parser(parse_one: Callable[[str], Any], legal: str) -> Parser[tuple[Any, ...]]:
    def convert(text: str) -> tuple[Any, ...]:
        words = text.replace(",", " ").split()
        if not words:
            raise ValueError
        return tuple(map(parse_one, words))

    return Parser(convert, legal)


def _parse_unicast(text: str) -> str:
    try:
        return parse_unicast_address(text)
    except ValueError as error:
        raise ValueError(f"{text} is {error}" if str(error) else text) from None


def _parse_prefix(text: str) -> int:
    try:
        return parse_prefix_length(text)
    except ValueError:
        raise ValueError(text) from None


def _parse_interface(text: str) -> str:
    try:
        return parse_interface_name(text)
    except ValueError:
        raise ValueError(text) from None


def _parse_store(text: str) -> str:
    try:
        return _STORES[text.lower()]
    except KeyError:
        raise ValueError from None


def parse_switch(text: str) -> bool:
    """Parse a switch; the spellings of Go's strconv.ParseBool are valid, too."""
    return boolean(_GO_BOOLEANS.get(text, text))


def parse_file_path(text: str) -> str:
    """Return the absolute form of a path, which may be relative to the working directory."""
    if not text or "\0" in text:
        raise ValueError("must be the path of a file")
    return os.path.abspath(text)


def build_seconds_parser(low: float, scale: float = 1.0) -> Parser[float]:
    """Build a parser for a number of ``scale`` seconds, or of a unit as Pacemaker writes it."""

    def convert(text: str) -> float:
        pattern = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]*)"
        match = re.fullmatch(pattern, text.lower(), re.ASCII)
        if match is None or match[2] not in (*UNITS, ""):
            raise ValueError
        number = float(match[1]) * (UNITS[match[2]] if match[2] else scale)
        if not low <= number <= _MOST_SECONDS:
            raise ValueError
        return number

    unit = "seconds" if scale == 1.0 else "milliseconds"
    upper_limit = _MOST_SECONDS / scale
    legal = f"a number of {unit} from {low / scale:g} to {upper_limit:.0f}, or a duration as 10s"
    return Parser(convert, legal)


def parse_level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise ValueError(f"must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
    return text.upper()


def parse_listen_address(text: str) -> tuple[str, int]:
    host, port = split_endpoint(text)
    address = canonical_address(host) if host else "127.0.0.1"
    try:
        if address is None:
            raise ValueError
        return address, parse_decimal(port, 1, 65535)
    except ValueError:
        raise ValueError(
            "must be a port, or an address and a port, such as 127.0.0.1:9345"
        ) from None


def parse_text(text: str) -> str:
    return text


INTERFACES = build_list_parser(
    _parse_interface, "the name of a network interface, or one for each address"
)
ADDRESSES = build_list_parser(
    _parse_unicast, "unicast IPv4 or IPv6 addresses, without prefix or zone"
)
PREFIXES = build_list_parser(
    _parse_prefix, "a prefix length (1 to 32, for IPv6 to 128) or an IPv4 netmask"
)
STORE = Parser(_parse_store, "etcd, consul or patroni")
