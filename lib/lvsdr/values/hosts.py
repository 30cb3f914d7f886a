"""The notations of a host: a node name, a host name, or an address.

IPv4 addresses are parsed here, because a monitor would pay more for the import of the ipaddress
module than for the parsing.  IPv6 addresses are left to that module.
"""

from __future__ import annotations

from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv6Address

_OCTETS = frozenset(map(str, range(256)))
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_LONGEST = 255  # RFC 1035, section 2.3.4


def canonical_address(text: str) -> str | None:
    """Return the canonical form of an address without a zone, or None for any other text.

    >>> canonical_address("FD77:0::0011"), canonical_address("fe80::1%eth0")
    ('fd77::11', None)
    """
    if ":" not in text:
        return text if _is_ipv4(text) else None
    address = _ipv6(text)
    return None if address is None else str(address)


def literal(text: str) -> str | None:
    """Return the canonical form of a host's address, or None for any other text.

    IPVS supports no zones.  An IPv4-mapped address (RFC 4291, section 2.5.5.2) is refused.  It
    would be a second spelling of an IPv4 address, and the kernel never shows that spelling.

    >>> literal("FD77:0::0011"), literal("10.77.0.11"), literal("node1")
    ('fd77::11', '10.77.0.11', None)
    >>> literal("10.77.0.300"), literal("010.77.0.11"), literal("fe80::1%eth0")
    (None, None, None)
    >>> literal("::ffff:10.77.0.11"), literal("::ffff:a4d:b")
    (None, None)
    """
    if ":" not in text:
        return text if _is_ipv4(text) else None
    address = _ipv6(text)
    return None if address is None or address.ipv4_mapped is not None else str(address)


def _ipv6(text: str) -> IPv6Address | None:
    from ipaddress import IPv6Address

    try:
        return None if "%" in text else IPv6Address(text)
    except ValueError:
        return None


def _is_ipv4(text: str) -> bool:
    octets = text.split(".")
    return len(octets) == 4 and _OCTETS.issuperset(octets)


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
        return literal(text) is not None
    # Refuse texts that a program would read as an option, or a shell as more than one word.
    return (
        0 < len(text) <= _LONGEST
        and text[0] in _LETTERS
        and _LETTERS.issuperset(text.replace(".", "").replace("-", ""))
    )


def _is_number(text: str) -> bool:
    if text[:2] in ("0x", "0X"):
        return _HEXADECIMAL.issuperset(text[2:])
    return not text or text.isdecimal()


def named(name: str, among: Iterable[str]) -> str | None:
    """Return the one of the names that matches; Pacemaker and DNS ignore case.

    >>> named("Node1", ["node1", "node2"]), named("node3", ["node1"])
    ('node1', None)
    """
    folded = name.casefold()
    return next((it for it in among if it.casefold() == folded), None)


def is_remote(address: str) -> bool:
    """Test for an address that other hosts can send to: not unspecified, loopback or multicast.

    ``address`` is in canonical form.

    >>> [is_remote(text) for text in ("10.77.0.11", "127.0.1.1", "0.0.0.0", "224.0.0.1", "::1")]
    [True, False, False, False, False]
    """
    if ":" in address:
        return address not in ("::", "::1") and not address.startswith("ff")
    first = int(address.partition(".")[0])
    return 0 < first < 224 and first != 127


def is_link_local(address: str) -> bool:
    """Test for an address in fe80::/10 (RFC 4291, section 2.4) in canonical form.

    >>> [is_link_local(text) for text in ("fe80::1", "febf::1", "fec0::1", "fe8::1", "10.77.0.1")]
    [True, True, False, False, False]
    """
    return address.find(":") == 4 and address[:3] in ("fe8", "fe9", "fea", "feb")


def unicast(address: str | None) -> str:
    """Return an address that an interface can have; raise ValueError otherwise.

    ``address`` is None or in canonical form.  An IPv4 address in IPv6 form is refused.  It has
    several spellings, would never be found among the interface's addresses, and could not be
    reached.

    >>> unicast("fd77::11"), unicast("10.77.0.11")
    ('fd77::11', '10.77.0.11')
    >>> unicast("::ffff:a4d:b")
    Traceback (most recent call last):
    ValueError: an IPv4 address in the form of IPv6
    """
    if address is None or not is_remote(address):
        raise ValueError
    # ::ffff:0:0/96 and ::/96: RFC 4291, section 2.5.5
    if address.startswith("::") and (address[2:7] == "ffff:" or address.count(":") <= 3):
        raise ValueError("an IPv4 address in the form of IPv6")
    return address
