"""Whether a server is a standby, and near enough to its primary to be read from."""

from __future__ import annotations

from collections.abc import Sequence

from ..typed import NamedTuple
from .lag import Lag, Limits, excess

# latest_end_lsn is the end of the primary's WAL by its last message; only pg_monitor may see it.
STATEMENT = """
    SELECT pg_is_in_recovery(), r.pid IS NOT NULL,
           GREATEST(0, pg_wal_lsn_diff(
               GREATEST(pg_last_wal_receive_lsn(), r.latest_end_lsn), pg_last_wal_replay_lsn())),
           GREATEST(0, EXTRACT(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()))
      FROM (SELECT) AS one LEFT JOIN pg_stat_wal_receiver AS r ON true
"""


class Standby(NamedTuple):
    """What a server says of itself."""

    in_recovery: bool
    receiving: bool
    """It has a WAL receiver; without one, what it has received says nothing of its primary."""
    to_replay: float | None
    """Bytes of WAL."""
    age: float | None
    """Seconds since its last replayed transaction was committed."""


def standby(row: Sequence[str | None]) -> Standby:
    """What the row of the statement says."""
    in_recovery, receiving, to_replay, age = row
    return Standby(
        in_recovery=in_recovery == "t",
        receiving=receiving == "t",
        to_replay=None if to_replay is None else float(to_replay),
        age=None if age is None else float(age),
    )


def lag(found: Standby) -> Lag:
    """How far it is behind, as far as it can know.

    An old transaction is no lag while all that was received is replayed: the primary was idle.
    Without a receiver there is no telling, and the age is all that can be relied on.

    >>> lag(Standby(True, receiving=True, to_replay=0, age=3600))
    Lag(bytes=0, seconds=0)
    >>> lag(Standby(True, receiving=False, to_replay=0, age=3600))
    Lag(bytes=None, seconds=3600)
    """
    if not found.receiving:
        return Lag(None, found.age)
    return Lag(found.to_replay, 0 if found.to_replay == 0 else found.age)


def why_not(found: Standby, limits: Limits) -> str:
    """Why it is not to be read from, empty if it is fit.

    >>> why_not(Standby(False, receiving=False, to_replay=None, age=None), Limits())
    'is not in recovery: no standby, but a primary'
    """
    if not found.in_recovery:
        return "is not in recovery: no standby, but a primary"
    too_far = excess(lag(found), limits)
    return f"{too_far}; it has no WAL receiver" if too_far and not found.receiving else too_far
