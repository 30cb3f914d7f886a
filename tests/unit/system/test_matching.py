"""Matching within a bounded time."""

from __future__ import annotations

import re

import pytest
from lvsdr.system.matching import match_values
from lvsdr.values.deadline import Deadline

pytestmark = [
    pytest.mark.slow,  # most of these tests wait
    pytest.mark.usefixtures("nothing_left"),
]

ENDLESS = re.compile(r"(a+)+")
HANGS = "a" * 40 + "!"


def test_values_that_are_matched_at_once() -> None:
    found = match_values(re.compile("a|b"), ["a", "c", "a"], Deadline.after(0.0))
    assert found == {"a": True, "c": False}


def test_only_the_value_that_hangs_has_no_answer() -> None:
    found = match_values(ENDLESS, ["aa", HANGS, "b", "a"], Deadline.after(20.0))
    assert found == {"aa": True, HANGS: None, "b": False, "a": True}


def test_when_there_is_no_time() -> None:
    assert match_values(ENDLESS, ["aa", HANGS], Deadline.after(0.0)) == {"aa": None, HANGS: None}


def test_all_values_together_have_a_limit() -> None:
    values = [f"{HANGS}{number}" for number in range(50)]
    deadline = Deadline.after(60.0)
    assert set(match_values(ENDLESS, values, deadline).values()) == {None}
    assert deadline.remaining() > 30.0
