"""How the values of options may be written: each turns a text into a value, or raises ValueError.

The message of that says what is legal.
"""

from __future__ import annotations

import re

from ..hosts import literal, unicast
from ..interfaces import interface_name, prefix_length
from ..ocf.values import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_STORES = {"etcd": "etcd", "etcd3": "etcd", "consul": "consul", "patroni": "patroni"}
_MOST = 86400.0  # seconds


def listed(one: Callable[[str], Any], legal: str) -> Parser[tuple[Any, ...]]:
    def convert(text: str) -> tuple[Any, ...]:
        words = text.replace(",", " ").split()
        if not words:
            raise ValueError
        return tuple(map(one, words))

    return Parser(convert, legal)


def _unicast(text: str) -> str:
    try:
        return unicast(literal(text))
    except ValueError as error:
        raise ValueError(f"{text} is {error}" if str(error) else text) from None


def _prefix(text: str) -> int:
    try:
        return prefix_length(text)
    except ValueError:
        raise ValueError(text) from None


def _interface(text: str) -> str:
    try:
        return interface_name(text)
    except ValueError:
        raise ValueError(text) from None


def _store(text: str) -> str:
    try:
        return _STORES[text.lower()]
    except KeyError:
        raise ValueError from None


def endpoints(text: str) -> str:
    for word in text.replace(",", " ").split():
        if "://" not in word:
            raise ValueError(f"{word} has no scheme: write http://{word} or https://{word}")
    return text


def seconds(low: float, scale: float = 1.0) -> Parser[float]:
    """A decimal number of at least ``low``, in seconds after it was multiplied by ``scale``."""

    def convert(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
            raise ValueError
        seconds = float(text) * scale
        if not low <= seconds <= _MOST:
            raise ValueError
        return seconds

    unit = "seconds" if scale == 1.0 else "milliseconds"
    return Parser(convert, f"a number of {unit} from {low / scale:g} to {_MOST / scale:.0f}")


def level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise ValueError(f"must be {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")
    return text.upper()


def listening(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    address = literal(host.strip("[]")) if host else "127.0.0.1"
    if address is None or not (port.isascii() and port.isdecimal()) or not 1 <= int(port) <= 65535:
        raise ValueError("must be a port, or an address and a port, such as 127.0.0.1:9345")
    return address, int(port)


def text(given: str) -> str:
    return given


INTERFACES = listed(_interface, "the name of a network interface, or one for each address")
ADDRESSES = listed(_unicast, "unicast IPv4 or IPv6 addresses, without prefix or zone")
PREFIXES = listed(_prefix, "a prefix length (1 to 32, for IPv6 to 128) or an IPv4 netmask")
STORE = Parser(_store, "etcd, consul or patroni")
