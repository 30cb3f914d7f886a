"""The endpoints of a store."""

from __future__ import annotations

from threading import Event

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.leader.asking import Endpoints
from lvsdr.system.net.first_answer import Bell
from lvsdr.system.net.http import Endpoint
from lvsdr.values.deadline import Deadline

PATIENCE = 20.0
A, B, C = (Endpoint(name, 1) for name in "abc")


def ask(endpoints: Endpoints, alive: str) -> str:
    """Return the host that answers if only these are alive."""

    def question(endpoint: Endpoint) -> str:
        if endpoint.host not in alive:
            raise SourceUnavailable("dead")
        return endpoint.host

    return endpoints.ask(question, Deadline.after(20.0), Bell())[0]


def test_the_one_that_answered_is_asked_first() -> None:
    endpoints = Endpoints([A, B, C])
    assert endpoints.best == A
    assert [ask(endpoints, alive) for alive in ("abc", "bc", "abc", "a", "abc")] == list("abbaa")
    assert endpoints.best == A


def test_an_error_that_nothing_foresaw_is_no_answer() -> None:
    """An unforeseen error counts as no answer, and the next endpoint is queried.

    The text of the error is not shown, because it may hold a secret.
    """

    def question(endpoint: Endpoint) -> str:
        if endpoint == A:
            raise KeyError("hidden")
        return endpoint.host

    assert Endpoints([A, B]).ask(question, Deadline.after(20.0), Bell())[0] == "b"
    with pytest.raises(SourceUnavailable) as caught:
        Endpoints([A]).ask(question, Deadline.after(20.0), Bell())
    assert str(caught.value) == "http://a:1: internal error: KeyError"


def test_questions_that_do_not_end_are_few() -> None:
    """At most three queries hang at a time: a resolver that hangs leaves a thread for each."""
    stuck, running = Event(), []

    def question(endpoint: Endpoint) -> str:
        running.append(endpoint)
        stuck.wait(PATIENCE)
        return endpoint.host

    endpoints, reasons = Endpoints([A]), []
    for _ in range(6):
        with pytest.raises(SourceUnavailable) as caught:
            endpoints.ask(question, Deadline.after(0.05), Bell())
        reasons.append(str(caught.value))
    assert len(running) == 3
    assert reasons[3:] == ["http://a:1: 3 questions before have not ended"] * 3
    stuck.set()
    assert Endpoints([A]).ask(question, Deadline.after(PATIENCE), Bell())[0] == "a"


def test_all_are_tried_in_turn() -> None:
    endpoints = Endpoints([A, B, C])
    assert ask(endpoints, "c") == "c"
    with pytest.raises(SourceUnavailable) as caught:
        ask(endpoints, "")
    assert str(caught.value) == "http://c:1: dead; http://a:1: dead; http://b:1: dead"
    assert endpoints.best == C
