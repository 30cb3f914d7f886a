"""Parsers of values that only the agent vip has."""

from __future__ import annotations

from ...address.interfaces import interface_name
from ...address.prefixes import prefix_length
from ...ocf.values import Parser
from ...values.parsing import unicast_address

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _interface_name(text: str) -> str:
    if ":" in text:
        raise ValueError("a label goes to iflabel")
    return interface_name(text)


def _label(text: str) -> str:
    if not _LABEL.issuperset(text):
        raise ValueError
    return text


UNICAST_ADDRESS = Parser(unicast_address, "a unicast IPv4 or IPv6 address, without prefix or zone")
PREFIX = Parser(prefix_length, "a prefix length (1 to 32, for IPv6 to 128) or an IPv4 netmask")
INTERFACE_NAME = Parser(_interface_name, "the name of a network interface")
LABEL = Parser(_label, "made of letters, digits, - _ and .")
