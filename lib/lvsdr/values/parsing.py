"""Parsers of texts that several rooms read: numbers, durations, addresses, hosts and endpoints.

Addresses are parsed by the C library: a monitor would pay more for the import of ``ipaddress`` than
for all parsing.
"""

from __future__ import annotations

# Not socket: it wraps every constant in an enumeration, a tenth of the cost of a monitor.
import _socket

from .hosts import is_remote

_MOST_DIGITS = 18
# The units of Pacemaker's crm_get_msec().
UNITS = {
    **dict.fromkeys(("", "s", "sec"), 1.0),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("us", "usec"), 1e-6),
    **dict.fromkeys(("m", "min"), 60.0),
    **dict.fromkeys(("h", "hr"), 3600.0),
}
_LONGEST_HOST = 255  # RFC 1035, section 2.3.4
_HOST_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_HOST_SIGNS = _HOST_START | {".", "-"}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_MAPPED = bytes(10) + b"\xff\xff"  # RFC 4291, section 2.5.5.2


def is_decimal(text: str, most_digits: int = _MOST_DIGITS) -> bool:
    """Test whether a text consists of decimal digits, at least one and at most ``most_digits``.

    Only 0 to 9 count.  int() also accepts signs, blanks, underscores and the digits of other
    scripts, and refuses thousands of digits with an error of its own.

    >>> [is_decimal(text) for text in ("0", "007", "", "-1", "1_0", " 1", "٣", "1" * 19)]
    [True, True, False, False, False, False, False, False]
    """
    return len(text) <= most_digits and text.isascii() and text.isdecimal()


def parse_decimal(text: str, low: int, high: int) -> int:
    """Return a decimal number from ``low`` to ``high``; raise ValueError for any other text.

    >>> parse_decimal("5432", 1, 65535)
    5432
    >>> parse_decimal("0", 1, 65535)
    Traceback (most recent call last):
    ValueError
    """
    if not is_decimal(text) or not low <= int(text) <= high:
        raise ValueError
    return int(text)


def parse_seconds(text: str) -> float:
    """Return the seconds of a duration; raise ValueError for any other text.

    >>> parse_seconds("10"), parse_seconds("500ms"), parse_seconds("2min")
    (10.0, 0.5, 120.0)
    """
    unit = text.lstrip("0123456789")
    number = text[: len(text) - len(unit)]
    factor = UNITS.get(unit.strip().lower())
    if factor is None or not is_decimal(number):
        raise ValueError
    return int(number) * factor


def pack_address(text: str) -> bytes:
    """Return the octets of an IPv4 or IPv6 address without a zone; raise ValueError.

    >>> pack_address("10.9.0.20").hex(), pack_address("fd77::1").hex()
    ('0a090014', 'fd770000000000000000000000000001')
    """
    try:
        return _socket.inet_pton(_socket.AF_INET6 if ":" in text else _socket.AF_INET, text)
    except OSError:
        raise ValueError from None


def unpack_address(octets: bytes) -> str:
    """Return the canonical form of the address with these 4 or 16 octets."""
    return _socket.inet_ntop(_socket.AF_INET if len(octets) == 4 else _socket.AF_INET6, octets)


def canonical_address(text: str) -> str | None:
    """Return the canonical form of a host's address, or None for any other text.

    IPVS supports no zones.  An IPv4-mapped address (RFC 4291, section 2.5.5.2) is refused.  It
    would be a second spelling of an IPv4 address, and the kernel never shows that spelling.

    >>> canonical_address("FD77:0::0011"), canonical_address("10.77.0.11")
    ('fd77::11', '10.77.0.11')
    >>> [canonical_address(text) for text in ("node1", "10.77.0.300", "010.77.0.11")]
    [None, None, None]
    >>> [canonical_address(text) for text in ("fe80::1%eth0", "::ffff:10.77.0.11", "::ffff:a4d:b")]
    [None, None, None]
    """
    try:
        octets = pack_address(text)
    except ValueError:
        return None
    return None if octets[:12] == _MAPPED else unpack_address(octets)


def parse_unicast_address(text: str) -> str:
    """Return the canonical form of an address that an interface can have; raise ValueError.

    An IPv4 address in IPv6 form is refused (::ffff:0:0/96 and ::/96: RFC 4291, section 2.5.5).  It
    has several spellings, would never be found among the interface's addresses, and could not be
    reached.

    >>> parse_unicast_address("FD77::0011"), parse_unicast_address("10.77.0.11")
    ('fd77::11', '10.77.0.11')
    >>> parse_unicast_address("::ffff:a4d:b")
    Traceback (most recent call last):
    ValueError: an IPv4 address in the form of IPv6
    """
    address = unpack_address(pack_address(text))
    if not is_remote(address):
        raise ValueError
    if address.startswith("::") and (address[2:7] == "ffff:" or address.count(":") <= 3):
        raise ValueError("an IPv4 address in the form of IPv6")
    return address


def is_host(text: str) -> bool:
    """Test whether a text can be a node name, a host name or an address.

    A text of numbers alone must be an address.  The functions inet_aton(3), and so getaddrinfo(3),
    also accept octal and hexadecimal numbers, and fewer than four.

    >>> [is_host(text) for text in ("node1", "10.9.0.20", "10.9.0.300", "fd77::1", "-C", "a,1")]
    [True, True, False, True, False, False]
    >>> [is_host(text) for text in ("10.9.0.021", "0x0a.9.0.21", "10.9", "0xA090015", "0xen")]
    [False, False, False, False, True]
    """
    if ":" in text or all(map(_is_number, text.split("."))):
        return canonical_address(text) is not None
    # Refuse texts that a program would read as an option, or a shell as more than one word.
    return len(text) <= _LONGEST_HOST and text[0] in _HOST_START and _HOST_SIGNS.issuperset(text)


def _is_number(text: str) -> bool:
    if text[:2] in ("0x", "0X"):
        return _HEXADECIMAL.issuperset(text[2:])
    return not text or is_decimal(text, _LONGEST_HOST)


def split_endpoint(text: str) -> tuple[str, str]:
    """Split a text at its last colon into a host, without the brackets of IPv6, and a port.

    Both are unchecked.  Without a colon, the whole text is the port.

    >>> split_endpoint("10.77.0.100:5432"), split_endpoint("[fd77::64]:5432"), split_endpoint("80")
    (('10.77.0.100', '5432'), ('fd77::64', '5432'), ('', '80'))
    """
    host, _, port = text.rpartition(":")
    return host.strip("[]"), port


def join_endpoint(host: str, port: int) -> str:
    """Return host and port in one word, with brackets around IPv6.

    >>> join_endpoint("10.77.0.100", 5432), join_endpoint("fd77::64", 5432)
    ('10.77.0.100:5432', '[fd77::64]:5432')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def remove_instance_number(resource: str) -> str:
    """Return the id of a resource; an instance of a clone may be named ``id:NUMBER``.

    >>> remove_instance_number("read-vip:1"), remove_instance_number("read-vip")
    ('read-vip', 'read-vip')
    """
    name, colon, number = resource.rpartition(":")
    return name if colon and is_decimal(number) else resource
