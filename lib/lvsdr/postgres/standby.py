"""Whether a server is a standby, and near enough to its primary to be read from."""

from __future__ import annotations

from collections.abc import Sequence

from ..typed import NamedTuple
from .lag import Lag, Limits, excess, pause
from .values import optional_int, optional_seconds, required

# NULL is "unknown" and must stay that: GREATEST and COALESCE would make a number of it, so the
# columns arrive as they are.  latest_end_lsn is the end of the primary's WAL by its last message.
# That and the time of the last message only pg_monitor may see; for other roles they are NULL.  A
# receiver asks for a message before wal_receiver_timeout is up, and then ends.
STATEMENT = """
    SELECT pg_is_in_recovery(), r.pid IS NOT NULL,
           EXTRACT(epoch FROM clock_timestamp() - r.last_msg_receipt_time) * 1000
               > NULLIF(s.setting::int, 0),
           pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0'),
           pg_wal_lsn_diff(r.latest_end_lsn, '0/0'),
           pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'),
           EXTRACT(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()),
           EXTRACT(epoch FROM clock_timestamp())
      FROM pg_settings AS s LEFT JOIN pg_stat_wal_receiver AS r ON true
     WHERE s.name = 'wal_receiver_timeout'
"""


class Standby(NamedTuple):
    """What a server says of itself."""

    in_recovery: bool
    has_receiver: bool
    silent: bool
    """Its WAL receiver has heard nothing for longer than one lives without."""
    received: int | None
    """The end of the WAL that its primary is known to have, in bytes; None if it is unknown."""
    replayed: int | None
    age: float | None
    """Seconds since its last replayed transaction was committed; unknown after a restart."""
    at: float
    """When it said so, in seconds by its own clock."""

    @property
    def receiving(self) -> bool:
        """Without a receiver, what it has received says nothing of its primary."""
        return self.has_receiver and not self.silent

    @property
    def to_replay(self) -> int | None:
        """Bytes of WAL."""
        if self.received is None or self.replayed is None:
            return None
        return max(0, self.received - self.replayed)


def standby(row: Sequence[str | None]) -> Standby:
    """Return the state that the row of the statement describes; raise ValueError for another."""
    in_recovery, has_receiver, silent, received, announced, replayed, age, at = row
    # The primary has announced nothing yet to a receiver that found nothing to receive.
    ends = [int(end) for end in (received, announced) if end is not None]
    return Standby(
        in_recovery=in_recovery == "t",
        has_receiver=has_receiver == "t",
        silent=silent == "t",
        received=max(ends, default=None),
        replayed=optional_int(replayed),
        age=optional_seconds(age),
        at=float(required(at)),
    )


def lag(first: Standby, last: Standby) -> Lag:
    """How far it is behind, as far as it can know, by what it said at two times or only once.

    An old transaction is no lag while all that was received is replayed: the primary was idle.  Nor
    is it while a long one writes: what had been received at the first time and is replayed at the
    last has not been late by more than the time between.  Without a receiver there is no telling,
    and the age is all that can be relied on.

    >>> idle = Standby(True, True, False, received=9, replayed=9, age=3600, at=100)
    >>> lag(idle, idle), lag(idle, idle._replace(received=19, replayed=14, at=100.5))
    (Lag(bytes=0, seconds=0), Lag(bytes=5, seconds=0.5))
    >>> alone = idle._replace(has_receiver=False)
    >>> lag(alone, alone)
    Lag(bytes=None, seconds=3600)
    """
    if not last.receiving:
        return Lag(None, last.age)
    if last.to_replay == 0:
        return Lag(0, 0)
    if last.at > first.at and _has_replayed(last, first.received):
        apart = last.at - first.at
        return Lag(last.to_replay, apart if last.age is None else min(apart, last.age))
    return Lag(last.to_replay, last.age)


def _has_replayed(found: Standby, position: int | None) -> bool:
    return found.replayed is not None and position is not None and found.replayed >= position


def again(said: Sequence[Standby], limits: Limits, left: float) -> float | None:
    """Seconds until it is to be asked again, of those that are left; None if there is no point.

    >>> late = Standby(True, True, False, received=9, replayed=8, age=3600, at=100)
    >>> again([late], Limits(seconds=30), left=8)
    0.2
    >>> again([late, late._replace(at=130)], Limits(seconds=30), left=8)
    """
    first, last = said[0], said[-1]
    too_late = excess(lag(first, last), Limits(seconds=limits.seconds))
    if not too_late or not last.in_recovery or not last.receiving:
        return None
    return pause(last.at - first.at, limits, left)


def why_not(said: Sequence[Standby], limits: Limits) -> str:
    """Why it is not to be read from, empty if it is fit.

    >>> why_not([Standby(False, False, False, None, None, None, 0)], Limits())
    'is not in recovery: no standby, but a primary'
    """
    first, last = said[0], said[-1]
    if not last.in_recovery:
        return "is not in recovery: no standby, but a primary"
    too_far = excess(lag(first, last), limits)
    if not too_far or last.receiving:
        return too_far
    return f"{too_far}; it has no WAL receiver{' that hears anything' if last.silent else ''}"
