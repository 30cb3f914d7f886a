"""Several attempts at once, of which the first answer counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from lvsdr.errors import NotInstalled, SourceUnavailable
from lvsdr.system.net.first_answer import Bell, find_first_answer
from lvsdr.values.deadline import Deadline

PATIENCE = 20.0
Ask = Callable[[], str]


def says(text: str) -> Ask:
    return lambda: text


def fails(error: Exception) -> Ask:
    def ask() -> str:
        raise error

    return ask


def stuck() -> str:
    threading.Event().wait(PATIENCE)
    return "too late"


def race(*asks: Ask, seconds: float = PATIENCE, bell: Bell | None = None) -> tuple[int, str]:
    attempts = [(f"no. {number}", ask) for number, ask in enumerate(asks)]
    index, answer, asked = find_first_answer(attempts, Deadline.after(seconds), bell or Bell())
    assert asked <= time.monotonic()
    return index, answer


REFUSED = SourceUnavailable("refused")


@pytest.mark.parametrize(
    ("asks", "won"),
    [
        ([says("a")], (0, "a")),
        ([says("a"), says("b")], (0, "a")),
        ([fails(REFUSED), says("b")], (1, "b")),
        ([stuck, says("b")], (1, "b")),
        ([stuck, fails(REFUSED), stuck, says("d")], (3, "d")),
    ],
    ids=["one", "the first", "the second", "past a stuck one", "past several"],
)
def test_the_first_answer(asks: list[Ask], won: tuple[int, str]) -> None:
    assert race(*asks) == won


def test_the_second_is_not_queried_without_need() -> None:
    asked: list[str] = []

    def second() -> str:
        asked.append("second")
        return "b"

    race(says("a"), second)
    assert asked == []


def test_no_answer_is_an_error() -> None:
    with pytest.raises(SourceUnavailable) as caught:
        race(fails(REFUSED), stuck, fails(SourceUnavailable("no leader")), seconds=1)
    assert str(caught.value) == "no. 0: refused; no. 1: no answer in time; no. 2: no leader"


def test_an_answer_that_is_late_all_the_same() -> None:
    """The first attempt is not given up while the others are tried."""
    gate = threading.Event()

    def slow() -> str:
        assert gate.wait(PATIENCE)
        return "a"

    def opens() -> str:
        gate.set()
        raise REFUSED

    assert race(slow, opens) == (0, "a")


def test_another_error_is_not_swallowed() -> None:
    with pytest.raises(NotInstalled):
        race(fails(NotInstalled("urllib3")), stuck)


def test_it_is_stopped_at_once() -> None:
    bell = Bell()
    threading.Timer(0.1, bell.stop).start()
    with pytest.raises(SourceUnavailable, match="stopped"):
        race(stuck, bell=bell)
    with pytest.raises(SourceUnavailable, match="stopped"):
        race(says("a"), bell=bell)


def test_a_wait_ends_when_it_is_stopped_or_over() -> None:
    bell = Bell()
    bell.wait(0.01)
    assert not bell.is_stopped()
    threading.Timer(0.1, bell.stop).start()
    bell.wait(PATIENCE)
    assert bell.is_stopped()
    bell.wait(PATIENCE)


def test_a_wait_ends_with_its_event() -> None:
    bell = Bell()
    come: list[int] = []

    def ring() -> None:
        come.append(1)
        bell.ring()

    threading.Timer(0.1, ring).start()
    bell.wait(PATIENCE, lambda: bool(come))
    assert come
