"""Notations of the endpoints of a store."""

from __future__ import annotations

import re

import pytest
from lvsdr.leader.endpoints import endpoints


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1", "http://127.0.0.1:2379"),
        ("node1", "http://node1:2379"),
        ("node1:4001", "http://node1:4001"),
        ("http://node1", "http://node1:2379"),
        ("https://node1", "https://node1:2379"),
        ("HTTPS://node1:1/", "https://node1:1"),
        ("[::1]", "http://[::1]:2379"),
        ("https://[FD77:0::1]:4001", "https://[fd77::1]:4001"),
        ("a,b c\n d ,,", "http://a:2379 http://b:2379 http://c:2379 http://d:2379"),
        ("a,a:2379,http://a/", "http://a:2379"),
        ("a,https://a", "http://a:2379 https://a:2379"),
    ],
)
def test_endpoints(text: str, found: str) -> None:
    assert " ".join(map(str, endpoints(text, 2379))) == found


def test_where_nothing_is_said_of_tls() -> None:
    assert [each.tls for each in endpoints("a,http://b,https://c", 1, tls=True)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it names none"),
        (" , ", "it names none"),
        ("ftp://a", "ftp://a is neither http:// nor https://"),
        ("a/v3", "a/v3 has a path"),
        ("http://a?x", "a?x is no host"),
        ("::1", "::1: an IPv6 address goes in brackets"),
        ("::1:2379", "::1:2379: an IPv6 address goes in brackets"),
        ("[::1", "[::1 has brackets, but no IPv6 address between them"),
        ("[node1]", "[node1] has brackets, but no IPv6 address between them"),
        ("[::g]", "::g is no host"),
        ("10.0.0.300", "10.0.0.300 is no host"),
        ("-a", "-a is no host"),
        ("http://:2379", "http://:2379 is no host"),
        ("a:", "a: has no port after its colon"),
        ("a:http", "a:http has no port after its colon"),
        ("[::1]2379", "[::1]2379 has no port after its colon"),
        ("a:0", "a:0: a port is a number from 1 to 65535"),
        ("a:65536", "a:65536: a port is a number from 1 to 65535"),
        ("a:٤", "a:٤ has no port after its colon"),
        ("a,b:x", "b:x has no port after its colon"),
        ("http://user:geheim@a", "an endpoint has no user and password in it"),
        ("user:geheim@a", "an endpoint has no user and password in it"),
        ("user:geheim@a/v3", "an endpoint has no user and password in it"),
    ],
)
def test_what_is_none(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        endpoints(text, 2379)


@pytest.mark.parametrize(
    "text",
    [
        *("http://admin:geheim@host", "admin:geheim@host", "host,https://admin:geheim@host:2379"),
        *("http://admin:geheim@host://x", "http://admin:ge,geheim@host", "http://a:geheim/x@host"),
        *("http://admin:ge geheim@host", "http://admin:geheim,x@host", "ftp://a:geheim@host"),
        *("http://host?password=geheim", "http://host/?token=geheim", "http://host#a=geheim"),
        *("http://host;p=geheim", "http://host/v3?user=a&password=geheim", "http://host/%=geheim"),
    ],
)
def test_no_message_shows_a_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"^an endpoint ") as caught:
        endpoints(text, 2379)
    assert "geheim" not in str(caught.value)
