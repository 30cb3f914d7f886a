"""A point in time by which all must be done."""

from __future__ import annotations

import time

import pytest
from lvsdr.errors import DeadlineExceeded
from lvsdr.values.deadline import Deadline


def test_time_runs() -> None:
    deadline = Deadline.after(10.0)
    first = deadline.remaining()
    time.sleep(0.01)
    assert 9 < deadline.remaining() < first <= 10.0
    assert not deadline.is_expired()


@pytest.mark.parametrize("seconds", [0.0, -5.0])
def test_never_less_than_nothing(seconds: float) -> None:
    deadline = Deadline.after(seconds)
    assert deadline.remaining() == 0.0
    assert deadline.is_expired()


def test_it_is_the_monotonic_clock() -> None:
    assert Deadline(time.monotonic() + 5).remaining() == pytest.approx(5, abs=1)


def test_sooner() -> None:
    deadline = Deadline.after(10.0)
    assert deadline.limit_to(1.0).remaining() <= 1.0
    assert deadline.limit_to(100.0).remaining() == pytest.approx(deadline.remaining(), abs=0.5)


def test_require() -> None:
    assert 9 < Deadline.after(10.0).require("crm_mon") <= 10
    with pytest.raises(DeadlineExceeded, match=r"^no time left for crm_mon$"):
        Deadline.after(0.0).require("crm_mon")
