"""Notations of the endpoints of a store, and queries of endpoints one after another."""

from __future__ import annotations

import re
from threading import Event

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.leader.endpoints import Endpoints, parse_endpoints
from lvsdr.system.net.first_answer import Bell
from lvsdr.system.net.http import Endpoint
from lvsdr.values.deadline import Deadline

PATIENCE = 20.0
A, B, C = (Endpoint(name, 1) for name in "abc")


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
    assert " ".join(map(str, parse_endpoints(text, 2379))) == found


def test_an_endpoint_without_a_scheme_gets_the_default() -> None:
    assert [each.tls for each in parse_endpoints("a,http://b,https://c", 1, tls=True)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it contains no endpoint"),
        (" , ", "it contains no endpoint"),
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
def test_a_text_that_is_no_endpoint_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        parse_endpoints(text, 2379)


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
        parse_endpoints(text, 2379)
    assert "geheim" not in str(caught.value)


def ask(endpoints: Endpoints, alive: str) -> str:
    """Return the host that answers if only these are alive."""

    def question(endpoint: Endpoint) -> str:
        if endpoint.host not in alive:
            raise SourceUnavailable("dead")
        return endpoint.host

    return endpoints.query_first(question, Deadline.after(20.0), Bell())[0]


def test_the_endpoint_that_answered_is_queried_first() -> None:
    endpoints = Endpoints([A, B, C])
    assert endpoints.best == A
    assert [ask(endpoints, alive) for alive in ("abc", "bc", "abc", "a", "abc")] == list("abbaa")
    assert endpoints.best == A


def test_an_unforeseen_error_counts_as_no_answer() -> None:
    """An unforeseen error counts as no answer, and the next endpoint is queried.

    The text of the error is not shown, because it may hold a secret.
    """

    def question(endpoint: Endpoint) -> str:
        if endpoint == A:
            raise KeyError("hidden")
        return endpoint.host

    assert Endpoints([A, B]).query_first(question, Deadline.after(20.0), Bell())[0] == "b"
    with pytest.raises(SourceUnavailable) as caught:
        Endpoints([A]).query_first(question, Deadline.after(20.0), Bell())
    assert str(caught.value) == "http://a:1: internal error: KeyError"


def test_at_most_three_queries_of_an_endpoint_hang() -> None:
    """At most three queries hang at a time: a resolver that hangs leaves a thread for each."""
    stuck, running = Event(), []

    def question(endpoint: Endpoint) -> str:
        running.append(endpoint)
        stuck.wait(PATIENCE)
        return endpoint.host

    endpoints, reasons = Endpoints([A]), []
    for _ in range(6):
        with pytest.raises(SourceUnavailable) as caught:
            endpoints.query_first(question, Deadline.after(0.05), Bell())
        reasons.append(str(caught.value))
    assert len(running) == 3
    assert reasons[3:] == ["http://a:1: 3 earlier queries have not ended"] * 3
    stuck.set()
    assert Endpoints([A]).query_first(question, Deadline.after(PATIENCE), Bell())[0] == "a"


def test_all_endpoints_are_queried_in_turn() -> None:
    endpoints = Endpoints([A, B, C])
    assert ask(endpoints, "c") == "c"
    with pytest.raises(SourceUnavailable) as caught:
        ask(endpoints, "")
    assert str(caught.value) == "http://c:1: dead; http://a:1: dead; http://b:1: dead"
    assert endpoints.best == C
