"""The schedule of the watcher: each change is followed by a cycle that begins after it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lvsdr.watcher.schedule import (
    ECHOES,
    EVENT_GAP,
    PERIOD,
    USUAL,
    Schedule,
    after_begin,
    after_change,
    after_end,
    after_event,
    after_result,
    find_next_cycle,
)

START = Schedule(began=100.0, ended=100.5)


def test_without_a_change_the_period_decides() -> None:
    assert find_next_cycle(START) == 100.0 + PERIOD


def test_a_change_is_followed_at_once_and_again_later() -> None:
    schedule = after_change(START, 103.0)
    assert find_next_cycle(schedule) <= 103.0
    schedule = after_end(after_begin(schedule, 103.0), 103.2, None)
    assert find_next_cycle(schedule) == 103.0 + ECHOES[0]


def test_a_change_during_a_cycle_is_followed_after_it() -> None:
    schedule = after_change(after_begin(START, 103.0), 103.1)
    assert find_next_cycle(after_end(schedule, 103.4, None)) == 103.4 + USUAL.gap


def test_events_are_followed_at_once_but_on_average_not_more_often_than_their_gap() -> None:
    now, schedule, begins = 104.0, START, []
    while now < 120.0:
        schedule = after_event(schedule, now)
        if find_next_cycle(schedule) <= now:
            begins.append(now)
            schedule = after_end(after_begin(schedule, now), now + 0.05, None)
        now += 0.25
    crowded = [104.0 + 0.25 * number for number in range(12)]
    assert begins[:12] == crowded
    later = begins[12:]
    assert later == [107.0 + EVENT_GAP * number for number in range(len(later))]


def test_a_change_is_followed_at_once_after_many_events() -> None:
    schedule = after_event(after_begin(START._replace(earned=200.0), 104.0), 104.2)
    assert find_next_cycle(schedule) == 104.0 + EVENT_GAP
    assert find_next_cycle(after_change(schedule, 104.4)) == 100.5 + USUAL.gap


def test_an_event_during_a_cycle_is_followed_after_it() -> None:
    schedule = after_event(after_begin(START, 103.0), 103.1)
    assert find_next_cycle(after_end(schedule, 104.4, None)) == 104.4 + USUAL.gap


def test_a_result_of_a_check_is_followed_once() -> None:
    schedule = after_result(START)
    assert find_next_cycle(schedule) <= 103.0
    schedule = after_end(after_begin(schedule, 103.0), 103.2, None)
    assert find_next_cycle(schedule) == 103.0 + PERIOD


def test_a_result_during_a_cycle_is_followed_after_it() -> None:
    schedule = after_result(after_begin(START, 103.0))
    assert find_next_cycle(after_end(schedule, 103.4, None)) == 103.4 + USUAL.gap


def test_the_end_of_a_drain_is_a_time_for_a_cycle() -> None:
    assert find_next_cycle(after_end(after_begin(START, 101.0), 101.2, 104.0)) == 104.0


@given(st.lists(st.floats(0.0, 30.0), max_size=12), st.floats(0.05, 4.0))
def test_each_change_is_followed_by_a_cycle_that_begins_after_it(
    changes: list[float], duration: float
) -> None:
    """A simulated watcher also keeps the period, and has at most one cycle at a time."""
    pending, now = sorted(changes), 0.0
    schedule, begins = Schedule(began=0.0), [0.0]
    while now < 45.0:
        begin = max(find_next_cycle(schedule), now)
        if pending and pending[0] <= begin:
            now = max(now, pending[0])
            schedule = after_change(schedule, pending.pop(0))
            continue
        schedule = after_begin(schedule, begin)
        begins.append(begin)
        now = begin + duration
        while pending and pending[0] <= now:
            schedule = after_change(schedule, pending.pop(0))
        schedule = after_end(schedule, now, None)
    for change in changes:
        follower = min(begin for begin in begins if begin >= change)
        assert follower <= change + duration + USUAL.gap + 1e-6
    assert all(later - earlier <= PERIOD + 1e-6 for earlier, later in zip(begins, begins[1:]))
    assert all(later - earlier >= duration for earlier, later in zip(begins[1:], begins[2:]))
