"""The order in which several runs take the tests that they share."""

from __future__ import annotations

from tests.support.shared_tests import order

TESTS = ["bringup", "drills", "drills", "pacemaker", "drills"]


def test_the_longest_part_is_taken_first_in_its_order() -> None:
    modules = [("bringup", 1), ("drills", 4), ("pacemaker", 6), ("drills", 5)]
    assert order(TESTS, modules) == [1, 2, 4, 3, 0]


def test_the_minutes_of_all_modules_of_a_part_count() -> None:
    modules = [("bringup", 1), ("drills", 4), ("pacemaker", 6)]
    assert order(TESTS, modules) == [3, 1, 2, 4, 0]


def test_without_minutes_the_order_is_that_of_the_names() -> None:
    assert order(["00000", "00001", "00002"], []) == [0, 1, 2]
