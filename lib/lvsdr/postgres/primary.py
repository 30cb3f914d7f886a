"""The standbys that stream from a primary, by their application names in pg_stat_replication.

Walsenders feed not only standbys, and any of them may be ``streaming``.  A base backup and
pg_receivewal never replay WAL; subscribers have a logical slot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ..errors import SourceUnavailable
from ..values.light_typing import NamedTuple
from ..values.parsing import canonical_address, is_host
from .lag import Lag, Limits, excess, optional_int, optional_seconds, pause, required

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

_TO_BEGIN = 2  # seconds that a walsender may take until it sends the first WAL

# The default application_name of a standby, which names no host.
_NO_NAMES = {"walreceiver"}

Row = Sequence["str | None"]
Naming = Callable[[str], "str | None"]
"""A function from a name to its host, or to None without one."""


class Walsender(NamedTuple):
    """A process that sends WAL to a receiver."""

    name: str
    state: str
    logical: bool
    replays: bool
    pid: int = 0
    flushed: int | None = 0
    """The end of the WAL to send, in bytes; None if it is unknown, as in the next fields."""
    replayed: int | None = 0
    measured: float | None = None
    """The replay lag in seconds, by the standby's last reply."""
    silence: float | None = 0
    """Seconds since that reply."""
    connected: float | None = 0
    """Seconds since this process began; it has no measurement from before."""
    at: float = 0
    """The time of the row, in seconds."""

    @property
    def streams(self) -> bool:
        """Return whether it feeds a standby that has caught up."""
        return self.state == "streaming" and self.replays and not self.logical


class Standbys(NamedTuple):
    """The standbys that may serve, and the reasons against the others."""

    names: list[str]
    left_out: list[str]
    strangers: list[str]
    """Names of standbys that are fit, but match no known host."""

    def require_a_name(self) -> None:
        """Raise SourceUnavailable if there are standbys, but all of them are strangers."""
        if self.strangers and not self.names:
            names = ", ".join(f"{name!a}" for name in self.strangers)
            raise SourceUnavailable(
                f"the standbys {names} match no known host: set application_name, or use --node"
            )


def walsenders(role: Row, rows: Iterable[Row]) -> list[Walsender]:
    """Return the walsenders in the rows of the two statements.

    Raises SourceUnavailable if the server is not a primary, or does not show its walsenders.
    """
    in_recovery, user = role
    if in_recovery == "t":
        raise SourceUnavailable("the server is in recovery: a standby, not the primary")
    return [_walsender(row, user or "") for row in rows]


def _walsender(row: Row, user: str) -> Walsender:
    name, state, logical, replays, pid, flushed, replayed, measured, *times = row
    if state is None:
        raise SourceUnavailable(
            f"role {user} may not see the state of walsenders: GRANT pg_monitor TO {user}"
        )
    silence, connected, at = times
    return Walsender(
        name=name or "",
        state=state,
        logical=logical == "t",
        replays=replays == "t",
        pid=int(required(pid)),
        flushed=optional_int(flushed),
        replayed=optional_int(replayed),
        measured=optional_seconds(measured),
        silence=optional_seconds(silence),
        connected=optional_seconds(connected),
        at=float(required(at)),
    )


def lag(first: Walsender, last: Walsender) -> Lag:
    """Return the lag of a standby, from rows of one or two times.

    If WAL flushed at the first time is replayed at the last, its delay is at most the time between
    them.  Until some WAL of a new walsender is replayed, its measurement is the time since its
    start.  A standby that was away has missed older WAL, so that measurement is too small.

    >>> idle = Walsender("a", "streaming", False, True, flushed=9, replayed=9)
    >>> late = idle._replace(flushed=20, replayed=12, measured=2, silence=1, connected=60, at=5)
    >>> lag(idle, idle), lag(late, late), lag(late, late._replace(connected=3))
    (Lag(bytes=0, seconds=0), Lag(bytes=8, seconds=3), Lag(bytes=8, seconds=None))
    >>> lag(idle, late)
    Lag(bytes=8, seconds=5)
    """
    if last.flushed is None or last.replayed is None:
        return Lag(None, None)
    to_replay = max(0, last.flushed - last.replayed)
    if not to_replay:
        return Lag(0, 0)
    if last.at > first.at and first.flushed is not None and last.replayed >= first.flushed:
        return Lag(to_replay, last.at - first.at)
    return Lag(to_replay, _measured(last))


def _measured(walsender: Walsender) -> float | None:
    """Return the lag in seconds by the standby's last reply, or None if that is no proof."""
    measured, silence, connected = walsender.measured, walsender.silence, walsender.connected
    if measured is None or silence is None or connected is None:
        return None
    return None if connected - measured - silence < _TO_BEGIN else measured + silence


def again(seen: Sequence[Sequence[Walsender]], limits: Limits, left: float) -> float | None:
    """Return the delay before the next query, or None if another query cannot change the result.

    >>> new = Walsender("a", "streaming", False, True, flushed=9, replayed=8)
    >>> again([[new]], Limits(seconds=30), left=4), again([[new]], Limits(bytes=9), left=4)
    (0.2, None)
    """
    in_seconds = Limits(seconds=limits.seconds)
    for first, last in _pairs(seen):
        # A standby that is too late by its own reply will not catch up that soon.
        sure = last.measured is not None and last.measured > (limits.seconds or 0)
        if last.streams and not sure and excess(lag(first, last), in_seconds):
            return pause(last.at - seen[0][0].at, limits, left)
    return None


def _pairs(seen: Sequence[Sequence[Walsender]]) -> list[tuple[Walsender, Walsender]]:
    """Return each walsender of the last sample with its first sample, or with itself if new."""
    first = {walsender.pid: walsender for walsender in seen[0]}
    return [(first.get(walsender.pid, walsender), walsender) for walsender in seen[-1]]


def standbys(seen: Sequence[Sequence[Walsender]], naming: Naming, limits: Limits) -> Standbys:
    """Return the distinct standby hosts that may serve, judged from all samples."""
    names: dict[str, None] = {}
    left_out, strangers = [], []
    for first, walsender in _pairs(seen):
        why_not = _why_not(walsender, lag(first, walsender), limits)
        host = naming(walsender.name)
        if why_not:
            left_out.append(f"{walsender.name!a}: {why_not}")
        elif host is None:
            left_out.append(f"{walsender.name!a}: matches no known host")
            strangers.append(walsender.name)
        else:
            names[host] = None
    return Standbys(list(names), left_out, strangers)


def _why_not(walsender: Walsender, behind: Lag, limits: Limits) -> str:
    if walsender.state != "streaming":
        return f"is in state {walsender.state}"
    if walsender.logical:
        return "is a logical subscriber, not a standby"
    if not walsender.replays:
        return "replays no WAL, so it is not a standby"
    return excess(behind, limits)


def listed(hosts: Collection[str]) -> Naming:
    """Return a naming by these names alone, in any case and any spelling of an address.

    >>> [listed(["Node1", "fd77::1"])(name) for name in ("node1", "FD77:0::1", "node2")]
    ['Node1', 'fd77::1', None]
    """
    spelled = {_plain(host): host for host in hosts}
    return lambda name: spelled.get(_plain(name))


def members(nodes: Collection[str]) -> Naming:
    """Return a naming by the nodes of a cluster; a host outside it is named by an address.

    >>> [members(["node1"])(name) for name in ("node1", "192.0.2.4", "node4")]
    ['node1', '192.0.2.4', None]
    """
    nodes_named = listed(nodes)
    return lambda name: nodes_named(name) or canonical_address(name)


def anybody(name: str) -> str | None:
    """Return the name if it can be a host, except the default name; otherwise None.

    >>> [anybody(name) for name in ("node1", "192.0.2.4", "15/main", "walreceiver", "")]
    ['node1', '192.0.2.4', None, None, None]
    """
    return (canonical_address(name) or name) if is_host(name) and name not in _NO_NAMES else None


def _plain(name: str) -> str:
    return canonical_address(name) or name.lower()
