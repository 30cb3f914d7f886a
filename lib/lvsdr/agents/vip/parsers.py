"""How the agent vip reads the values that only it has."""

from __future__ import annotations

from ...hosts import is_remote
from ...ocf.values import Parser
from ...system.addresses import canonical

_LONGEST_ALTERNATIVE = 127  # ALTIFNAMSIZ of linux/if.h less the end
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _unicast_address(text: str) -> str:
    address = canonical(text)
    if address is None or not is_remote(address):
        raise ValueError
    return address


def _prefix(text: str) -> int:
    """As a number, or as an IPv4 netmask of ones followed by zeros."""
    if "." in text:
        mask = canonical(text)
        if mask is None:
            raise ValueError
        bits = "".join(f"{int(octet):08b}" for octet in mask.split("."))
        ones = bits.rstrip("0")
        prefix = 0 if "0" in ones else len(ones)
    else:
        prefix = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
    if not 1 <= prefix <= 128:
        raise ValueError
    return prefix


def _interface_name(text: str) -> str:
    """Anything that the kernel takes for a name (dev_valid_name), so no ``eth0:label``."""
    if ":" in text:
        raise ValueError("a label goes to iflabel")
    legal = text.isprintable() and not any(sign in text for sign in "/ ")
    if not legal or len(text) > _LONGEST_ALTERNATIVE or text in (".", "..") or text[0] == "-":
        raise ValueError
    return text


def _label(text: str) -> str:
    if not _LABEL.issuperset(text):
        raise ValueError
    return text


UNICAST_ADDRESS = Parser(_unicast_address, "a unicast IPv4 or IPv6 address, without prefix or zone")
PREFIX = Parser(_prefix, "a prefix length (1 to 32, for IPv6 to 128) or an IPv4 netmask")
INTERFACE_NAME = Parser(_interface_name, "the name of a network interface")
LABEL = Parser(_label, "made of letters, digits, - _ and .")
