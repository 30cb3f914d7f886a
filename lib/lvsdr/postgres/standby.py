"""The state of a server: whether it is a standby, and near enough to its primary for reads."""

from __future__ import annotations

from collections.abc import Sequence

from ..values.light_typing import NamedTuple
from .lag import Lag, Limits, excess, optional_int, optional_seconds, pause, required

# NULL means "unknown" and must stay NULL.  GREATEST and COALESCE would turn it into a number, so
# the columns are selected unchanged.  latest_end_lsn is the end of the primary's WAL by its last
# message.  Only pg_monitor may see it and the time of the last message; other roles get NULL.  A
# receiver requests a message before wal_receiver_timeout is up, and then ends.
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
    """The state of a server, by its own answer."""

    in_recovery: bool
    has_receiver: bool
    silent: bool
    """True if its WAL receiver got no message for longer than wal_receiver_timeout."""
    received: int | None
    """The known end of the primary's WAL, in bytes; None if it is unknown."""
    replayed: int | None
    age: float | None
    """Seconds since the commit of its last replayed transaction; unknown after a restart."""
    at: float
    """The time of the answer, in seconds by the server's clock."""

    @property
    def receiving(self) -> bool:
        """Return whether a WAL receiver is alive; otherwise ``received`` is outdated."""
        return self.has_receiver and not self.silent

    @property
    def to_replay(self) -> int | None:
        """Return the bytes of WAL to replay; None if they are unknown."""
        if self.received is None or self.replayed is None:
            return None
        return max(0, self.received - self.replayed)


def standby(row: Sequence[str | None]) -> Standby:
    """Return the state in a row of the statement; raise ValueError for any other row."""
    in_recovery, has_receiver, silent, received, announced, replayed, age, at = row
    # The announced end is NULL for a receiver that has had nothing to receive yet.
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
    """Return the lag of a standby by its own knowledge, from answers at one or two times.

    An old last transaction is no lag while all received WAL is replayed: the primary was idle.  It
    is no lag either while a long transaction writes.  If WAL received by the first answer is
    replayed by the last, its delay is at most the time between them.  Without a receiver, the end
    of the primary's WAL is unknown, and only the age is reliable.

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
    """Return the delay before the next query, or None if another query cannot change the result.

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
    """Return why the server is unfit for reads; an empty text if it is fit.

    >>> why_not([Standby(False, False, False, None, None, None, 0)], Limits())
    'is not in recovery: a primary, not a standby'
    """
    first, last = said[0], said[-1]
    if not last.in_recovery:
        return "is not in recovery: a primary, not a standby"
    too_far = excess(lag(first, last), limits)
    if not too_far or last.receiving:
        return too_far
    return f"{too_far}; it has no WAL receiver{' that receives messages' if last.silent else ''}"
