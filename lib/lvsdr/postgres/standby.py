"""The state of a server: whether it is a standby, and near enough to its primary for reads."""

from __future__ import annotations

from collections.abc import Sequence

from ..values.light_typing import NamedTuple
from .lag import Lag, Limits, choose_delay, find_excess, parse_age, parse_int, require_value

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
    received_lsn: int | None
    """The known end of the primary's WAL, in bytes; None if it is unknown."""
    replayed_lsn: int | None
    transaction_age: float | None
    """Seconds since the commit of its last replayed transaction; unknown after a restart."""
    answer_time: float
    """The time of the answer, in seconds by the server's clock."""

    @property
    def receiving(self) -> bool:
        """Return whether a WAL receiver is alive; otherwise ``received_lsn`` is outdated."""
        return self.has_receiver and not self.silent

    @property
    def bytes_to_replay(self) -> int | None:
        """Return the bytes of WAL to replay; None if they are unknown."""
        if self.received_lsn is None or self.replayed_lsn is None:
            return None
        return max(0, self.received_lsn - self.replayed_lsn)


def parse_standby(row: Sequence[str | None]) -> Standby:
    """Return the state in a row of the statement; raise ValueError for any other row."""
    (
        in_recovery,
        has_receiver,
        silent,
        received_lsn,
        announced_lsn,
        replayed_lsn,
        transaction_age,
        answer_time,
    ) = row
    # The announced end is NULL for a receiver that has had nothing to receive yet.
    ends = [int(end) for end in (received_lsn, announced_lsn) if end is not None]
    return Standby(
        in_recovery=in_recovery == "t",
        has_receiver=has_receiver == "t",
        silent=silent == "t",
        received_lsn=max(ends, default=None),
        replayed_lsn=parse_int(replayed_lsn),
        transaction_age=parse_age(transaction_age),
        answer_time=float(require_value(answer_time)),
    )


def compute_lag(first: Standby, last: Standby) -> Lag:
    """Return the lag of a standby by its own knowledge, from answers at one or two times.

    An old last transaction is no lag while all received WAL is replayed: the primary was idle.  It
    is no lag either while a long transaction writes.  If WAL received by the first answer is
    replayed by the last, its delay is at most the time between them.  Without a receiver, the end
    of the primary's WAL is unknown, and only the age is reliable.

    >>> idle = Standby(True, True, False, 9, 9, transaction_age=3600, answer_time=100)
    >>> late = idle._replace(received_lsn=19, replayed_lsn=14, answer_time=100.5)
    >>> compute_lag(idle, idle), compute_lag(idle, late)
    (Lag(bytes=0, seconds=0), Lag(bytes=5, seconds=0.5))
    >>> alone = idle._replace(has_receiver=False)
    >>> compute_lag(alone, alone)
    Lag(bytes=None, seconds=3600)
    """
    if not last.receiving:
        return Lag(None, last.transaction_age)
    if last.bytes_to_replay == 0:
        return Lag(0, 0)
    if last.answer_time > first.answer_time and _has_replayed(last, first.received_lsn):
        elapsed = last.answer_time - first.answer_time
        return Lag(
            last.bytes_to_replay,
            elapsed if last.transaction_age is None else min(elapsed, last.transaction_age),
        )
    return Lag(last.bytes_to_replay, last.transaction_age)


def _has_replayed(standby: Standby, position: int | None) -> bool:
    return (
        standby.replayed_lsn is not None
        and position is not None
        and standby.replayed_lsn >= position
    )


def choose_retry_delay(
    states: Sequence[Standby], limits: Limits, seconds_left: float
) -> float | None:
    """Return the delay before the next query, or None if another query cannot change the result.

    >>> late = Standby(True, True, False, 9, 8, transaction_age=3600, answer_time=100)
    >>> choose_retry_delay([late], Limits(seconds=30), seconds_left=8)
    0.2
    >>> choose_retry_delay([late, late._replace(answer_time=130)], Limits(seconds=30), 8)
    """
    first, last = states[0], states[-1]
    excess = find_excess(compute_lag(first, last), Limits(seconds=limits.seconds))
    if not excess or not last.in_recovery or not last.receiving:
        return None
    return choose_delay(last.answer_time - first.answer_time, limits, seconds_left)


def find_flaw(states: Sequence[Standby], limits: Limits) -> str:
    """Return why the server is unfit for reads; an empty text if it is fit.

    >>> find_flaw([Standby(False, False, False, None, None, None, 0)], Limits())
    'is not in recovery: a primary, not a standby'
    """
    first, last = states[0], states[-1]
    if not last.in_recovery:
        return "is not in recovery: a primary, not a standby"
    excess = find_excess(compute_lag(first, last), limits)
    if not excess or last.receiving:
        return excess
    return f"{excess}; it has no WAL receiver{' that receives messages' if last.silent else ''}"
