"""Properties of hosts and of their addresses in canonical form.

``parsing`` tells hosts and addresses from other texts, and returns the canonical form.
"""

from __future__ import annotations

from collections.abc import Iterable


def find_ignoring_case(name: str, names: Iterable[str]) -> str | None:
    """Return the one of the names that matches; Pacemaker and DNS ignore case.

    >>> find_ignoring_case("Node1", ["node1", "node2"])
    'node1'
    >>> find_ignoring_case("node3", ["node1", "node2"])
    """
    folded_name = name.casefold()
    return next((candidate for candidate in names if candidate.casefold() == folded_name), None)


def is_remote(address: str) -> bool:
    """Test for an address that other hosts can send to: not unspecified, loopback or multicast.

    ``address`` is in canonical form.

    >>> [is_remote(text) for text in ("10.77.0.11", "127.0.1.1", "0.0.0.0", "224.0.0.1", "::1")]
    [True, False, False, False, False]
    """
    if ":" in address:
        return address not in ("::", "::1") and not address.startswith("ff")
    first_octet = int(address.partition(".")[0])
    return 0 < first_octet < 224 and first_octet != 127


def is_link_local(address: str) -> bool:
    """Test for an address in fe80::/10 (RFC 4291, section 2.4) in canonical form.

    >>> [is_link_local(text) for text in ("fe80::1", "febf::1", "fec0::1", "fe8::1", "10.77.0.1")]
    [True, True, False, False, False]
    """
    return address.find(":") == 4 and address[:3] in ("fe8", "fe9", "fea", "feb")
