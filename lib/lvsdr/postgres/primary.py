"""The standbys that stream from a primary, by their application names in pg_stat_replication.

Walsenders feed not only standbys, and any of them may be ``streaming``.  A base backup and
pg_receivewal never replay WAL; subscribers have a logical slot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ..errors import SourceUnavailable
from ..values.light_typing import NamedTuple
from ..values.parsing import canonical_address, is_host
from .lag import Lag, Limits, choose_delay, find_excess, parse_age, parse_int, require_value

STATEMENTS = (
    "SELECT pg_is_in_recovery(), quote_ident(current_user)",
    # A standby gets no more WAL than is flushed.  reply_time is by the standby's own clock.
    # NULL means "unknown" and must stay NULL: GREATEST and COALESCE would turn it into a number.
    """
    SELECT s.application_name, s.state, l.slot_name IS NOT NULL, s.replay_lsn IS NOT NULL, s.pid,
           pg_wal_lsn_diff(p.flushed, '0/0'), pg_wal_lsn_diff(s.replay_lsn, '0/0'),
           EXTRACT(epoch FROM s.replay_lag),
           EXTRACT(epoch FROM clock_timestamp() - s.reply_time),
           EXTRACT(epoch FROM clock_timestamp() - s.backend_start),
           EXTRACT(epoch FROM clock_timestamp())
      FROM pg_stat_replication AS s
     CROSS JOIN (SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END)
           AS p (flushed)
      LEFT JOIN pg_replication_slots AS l ON l.active_pid = s.pid AND l.slot_type = 'logical'
     ORDER BY s.application_name, s.pid
    """,
)

_START_SECONDS = 2  # seconds that a walsender may take until it sends the first WAL

# The default application_name of a standby, which names no host.
_DEFAULT_NAMES = {"walreceiver"}

Row = Sequence["str | None"]
Naming = Callable[[str], "str | None"]
"""A function from a name to its host, or to None without one."""


class Walsender(NamedTuple):
    """A process that sends WAL to a receiver."""

    name: str
    state: str
    logical: bool
    replaying: bool
    pid: int = 0
    flushed_lsn: int | None = 0
    """The end of the WAL to send, in bytes; None if it is unknown, as in the next fields."""
    replayed_lsn: int | None = 0
    reply_lag: float | None = None
    """The replay lag in seconds, by the standby's last reply."""
    reply_age: float | None = 0
    """Seconds since that reply."""
    age: float | None = 0
    """Seconds since this process began; it has no measurement from before."""
    row_time: float = 0
    """The time of the row, in seconds."""

    @property
    def streaming(self) -> bool:
        """Return whether it feeds a standby that has caught up."""
        return self.state == "streaming" and self.replaying and not self.logical


class Standbys(NamedTuple):
    """The standbys that may serve, and the reasons against the others."""

    names: list[str]
    exclusions: list[str]
    unknown_names: list[str]
    """Names of standbys that are fit, but match no known host."""

    def require_name(self) -> None:
        """Raise SourceUnavailable if there are standbys, but all of them are strangers."""
        if self.unknown_names and not self.names:
            names = ", ".join(f"{name!a}" for name in self.unknown_names)
            raise SourceUnavailable(
                f"the standbys {names} match no known host: set application_name, or use --node"
            )


def parse_walsenders(role: Row, rows: Iterable[Row]) -> list[Walsender]:
    """Return the walsenders in the rows of the two statements.

    Raises SourceUnavailable if the server is not a primary, or does not show its walsenders.
    """
    in_recovery, user = role
    if in_recovery == "t":
        raise SourceUnavailable("the server is in recovery: a standby, not the primary")
    return [_parse_walsender(row, user or "") for row in rows]


def _parse_walsender(row: Row, user: str) -> Walsender:
    name, state, logical, replaying, pid, flushed_lsn, replayed_lsn, reply_lag, *times = row
    if state is None:
        raise SourceUnavailable(
            f"role {user} may not see the state of walsenders: GRANT pg_monitor TO {user}"
        )
    reply_age, age, row_time = times
    return Walsender(
        name=name or "",
        state=state,
        logical=logical == "t",
        replaying=replaying == "t",
        pid=int(require_value(pid)),
        flushed_lsn=parse_int(flushed_lsn),
        replayed_lsn=parse_int(replayed_lsn),
        reply_lag=parse_age(reply_lag),
        reply_age=parse_age(reply_age),
        age=parse_age(age),
        row_time=float(require_value(row_time)),
    )


def compute_lag(first: Walsender, last: Walsender) -> Lag:
    """Return the lag of a standby, from rows of one or two times.

    If WAL flushed at the first time is replayed at the last, its delay is at most the time between
    them.  Until some WAL of a new walsender is replayed, its measurement is the time since its
    start.  A standby that was away has missed older WAL, so that measurement is too small.

    >>> idle = Walsender("a", "streaming", False, True, flushed_lsn=9, replayed_lsn=9)
    >>> late = idle._replace(flushed_lsn=20, replayed_lsn=12, reply_lag=2, reply_age=1, age=60)
    >>> late = late._replace(row_time=5)
    >>> compute_lag(idle, idle), compute_lag(late, late), compute_lag(late, late._replace(age=3))
    (Lag(bytes=0, seconds=0), Lag(bytes=8, seconds=3), Lag(bytes=8, seconds=None))
    >>> compute_lag(idle, late)
    Lag(bytes=8, seconds=5)
    """
    if last.flushed_lsn is None or last.replayed_lsn is None:
        return Lag(None, None)
    bytes_to_replay = max(0, last.flushed_lsn - last.replayed_lsn)
    if not bytes_to_replay:
        return Lag(0, 0)
    if (
        last.row_time > first.row_time
        and first.flushed_lsn is not None
        and last.replayed_lsn >= first.flushed_lsn
    ):
        return Lag(bytes_to_replay, last.row_time - first.row_time)
    return Lag(bytes_to_replay, _find_reply_lag(last))


def _find_reply_lag(walsender: Walsender) -> float | None:
    """Return the lag in seconds by the standby's last reply, or None if that is no proof."""
    reply_lag, reply_age, age = walsender.reply_lag, walsender.reply_age, walsender.age
    if reply_lag is None or reply_age is None or age is None:
        return None
    return None if age - reply_lag - reply_age < _START_SECONDS else reply_lag + reply_age


def choose_retry_delay(
    samples: Sequence[Sequence[Walsender]], limits: Limits, seconds_left: float
) -> float | None:
    """Return the delay before the next query, or None if another query cannot change the result.

    >>> new = Walsender("a", "streaming", False, True, flushed_lsn=9, replayed_lsn=8)
    >>> choose_retry_delay([[new]], Limits(seconds=30), seconds_left=4)
    0.2
    >>> choose_retry_delay([[new]], Limits(bytes=9), seconds_left=4)
    """
    seconds_limit = Limits(seconds=limits.seconds)
    for first, last in _pair_samples(samples):
        # A standby that is too late by its own reply will not catch up that soon.
        is_late = last.reply_lag is not None and last.reply_lag > (limits.seconds or 0)
        if last.streaming and not is_late and find_excess(compute_lag(first, last), seconds_limit):
            return choose_delay(last.row_time - samples[0][0].row_time, limits, seconds_left)
    return None


def _pair_samples(samples: Sequence[Sequence[Walsender]]) -> list[tuple[Walsender, Walsender]]:
    """Return each walsender of the last sample with its first sample, or with itself if new."""
    first = {walsender.pid: walsender for walsender in samples[0]}
    return [(first.get(walsender.pid, walsender), walsender) for walsender in samples[-1]]


def select_standbys(
    samples: Sequence[Sequence[Walsender]], naming: Naming, limits: Limits
) -> Standbys:
    """Return the distinct standby hosts that may serve, judged from all samples."""
    names: dict[str, None] = {}
    exclusions, unknown_names = [], []
    for first, walsender in _pair_samples(samples):
        flaw = _find_flaw(walsender, compute_lag(first, walsender), limits)
        host = naming(walsender.name)
        if flaw:
            exclusions.append(f"{walsender.name!a}: {flaw}")
        elif host is None:
            exclusions.append(f"{walsender.name!a}: matches no known host")
            unknown_names.append(walsender.name)
        else:
            names[host] = None
    return Standbys(list(names), exclusions, unknown_names)


def _find_flaw(walsender: Walsender, standby_lag: Lag, limits: Limits) -> str:
    if walsender.state != "streaming":
        return f"is in state {walsender.state}"
    if walsender.logical:
        return "is a logical subscriber, not a standby"
    if not walsender.replaying:
        return "replays no WAL, so it is not a standby"
    return find_excess(standby_lag, limits)


def build_naming(hosts: Collection[str]) -> Naming:
    """Return a naming by these names alone, in any case and any spelling of an address.

    >>> [build_naming(["Node1", "fd77::1"])(name) for name in ("node1", "FD77:0::1", "node2")]
    ['Node1', 'fd77::1', None]
    """
    hosts_by_name = {_normalize_name(host): host for host in hosts}
    return lambda name: hosts_by_name.get(_normalize_name(name))


def build_cluster_naming(nodes: Collection[str]) -> Naming:
    """Return a naming by the nodes of a cluster; a host outside it is named by an address.

    >>> [build_cluster_naming(["node1"])(name) for name in ("node1", "192.0.2.4", "node4")]
    ['node1', '192.0.2.4', None]
    """
    find_node = build_naming(nodes)
    return lambda name: find_node(name) or canonical_address(name)


def accept_any_host(name: str) -> str | None:
    """Return the name if it can be a host, except the default name; otherwise None.

    >>> [accept_any_host(name) for name in ("node1", "192.0.2.4", "15/main", "walreceiver", "")]
    ['node1', '192.0.2.4', None, None, None]
    """
    return (
        (canonical_address(name) or name) if is_host(name) and name not in _DEFAULT_NAMES else None
    )


def _normalize_name(name: str) -> str:
    return canonical_address(name) or name.lower()
