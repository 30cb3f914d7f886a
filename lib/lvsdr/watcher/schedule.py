"""The times at which the watcher has a cycle run.  Pure."""

from __future__ import annotations

from ..values.light_typing import NamedTuple

PERIOD = 10.0  # seconds after which a cycle begins in any case
ECHOES = (1.0, 2.0, 3.0)  # seconds; crm_mon holds back changes that follow each other
EVENT_GAP = 1.0  # seconds between the begins of cycles, on average, while events keep coming
EVENT_CREDIT = 9.0  # seconds by which such cycles may begin earlier: some in a row after a calm
PAUSE = 1.0  # seconds at least before a cycle that no change has asked for


class Pace(NamedTuple):
    """The shortest times, in seconds, that keep a storm of changes from taking the processor."""

    gap: float = 0.05
    """The time between the end of a cycle and the begin of the next one."""
    pause: float = 0.05
    """The time without output of the bell after which a change is complete."""


USUAL = Pace()


class Schedule(NamedTuple):
    """The cycles that are to come; all times are in seconds on the monotonic clock."""

    began: float
    """The begin of the last cycle."""
    ended: float = 0.0
    rung: bool = False
    """True if a change has come that no cycle has seen."""
    echoes: tuple[float, ...] = ()
    event_due: float | None = None
    """The time of a cycle for an event that may have changed the state."""
    earned: float = 0.0
    """The time at which the average of cycles for events is EVENT_GAP again."""
    due: float | None = None
    """The time at which the last cycle wants the next one, for example because a drain ends."""
    gap: float = USUAL.gap


def after_change(schedule: Schedule, now: float) -> Schedule:
    """Return the schedule after a change: a cycle now, and again for changes that are held back."""
    return schedule._replace(rung=True, echoes=tuple(now + echo for echo in ECHOES))


def after_event(schedule: Schedule, now: float) -> Schedule:
    """Return the schedule after an event that may have changed the state.

    The change may be announced two seconds later, so a cycle looks at once.  Events that change
    nothing must not take the processor: after some in a row such cycles begin EVENT_GAP apart.
    """
    return schedule._replace(event_due=max(now, schedule.earned - EVENT_CREDIT))


def after_result(schedule: Schedule) -> Schedule:
    """Return the schedule after health checks have changed a verdict: a cycle now."""
    return schedule._replace(rung=True)


def after_begin(schedule: Schedule, now: float) -> Schedule:
    """Return the schedule at the begin of a cycle, which sees all changes up to now."""
    later = tuple(echo for echo in schedule.echoes if echo > now)
    earned = min(max(schedule.earned, now), now + EVENT_CREDIT) + EVENT_GAP
    return schedule._replace(
        began=now, rung=False, echoes=later, event_due=None, due=None, earned=earned
    )


def after_end(schedule: Schedule, now: float, due: float | None) -> Schedule:
    """Return the schedule at the end of a cycle; ``due`` is when it wants the next one.

    A time that has passed is put off: a cycle may take longer than its interval.
    """
    return schedule._replace(ended=now, due=None if due is None else max(due, now + PAUSE))


def find_next_cycle(schedule: Schedule) -> float:
    """Return the time at which the next cycle begins, if nothing else changes."""
    times = [schedule.began + PERIOD, *schedule.echoes]
    if schedule.rung:
        times.append(schedule.ended)
    times += [time for time in (schedule.event_due, schedule.due) if time is not None]
    return max(min(times), schedule.ended + schedule.gap)
