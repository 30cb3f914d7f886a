"""The syntax of a store's endpoints."""

from __future__ import annotations

from ..system.net.http import Endpoint
from ..values.parsing import canonical_address, is_decimal, is_host

_SCHEMES = {"http": False, "https": True}
_SIGNS = frozenset("#=&;%\\")  # signs of a text that may contain a password, such as a query


def endpoints(text: str, port: int, tls: bool = False) -> tuple[Endpoint, ...]:
    """Parse a list of endpoints, separated by commas or white space.

    ``port`` and ``tls`` are the defaults for endpoints without them.  Raises ValueError with the
    problem and, if it is safe to show, the endpoint.

    >>> [str(endpoint) for endpoint in endpoints("10.0.0.1, https://[fd77::1]:4001/ node2", 2379)]
    ['http://10.0.0.1:2379', 'https://[fd77::1]:4001', 'http://node2:2379']
    """
    # Commas and slashes of a password would be read as separators, so no part is shown.
    if "@" in text:
        raise ValueError("an endpoint has no user and password in it")
    found = [_endpoint(word, port, tls) for word in text.replace(",", " ").split()]
    if not found:
        raise ValueError("it names none")
    return tuple(dict.fromkeys(found))


def _endpoint(text: str, port: int, tls: bool) -> Endpoint:
    if _SIGNS.intersection(text):
        raise ValueError("an endpoint is a scheme, a host and a port, and nothing more")
    scheme, separator, rest = text.rpartition("://")
    if separator and scheme.lower() not in _SCHEMES:
        raise ValueError(f"{text} is neither http:// nor https://")
    rest, slash, path = rest.partition("/")
    if slash and path:
        raise ValueError(f"{text} has a path")
    host, after = _host(rest, text)
    if not is_host(host):
        raise ValueError(f"{host or text} is no host")
    secure = _SCHEMES[scheme.lower()] if separator else tls
    return Endpoint(canonical_address(host) or host, _port(after, text) if after else port, secure)


def _host(rest: str, text: str) -> tuple[str, str]:
    """Return the host and the text after it."""
    if rest.startswith("["):
        host, bracket, after = rest[1:].partition("]")
        if not bracket or ":" not in host:
            raise ValueError(f"{text} has brackets, but no IPv6 address between them")
        return host, after
    if rest.count(":") > 1:
        raise ValueError(f"{text}: an IPv6 address goes in brackets")
    host, colon, after = rest.partition(":")
    return host, colon + after


def _port(after: str, text: str) -> int:
    digits = after[1:]
    if after[0] != ":" or not is_decimal(digits, 5):
        raise ValueError(f"{text} has no port after its colon")
    if not 1 <= int(digits) <= 65535:
        raise ValueError(f"{text}: a port is a number from 1 to 65535")
    return int(digits)
