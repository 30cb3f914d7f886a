"""Which standbys stream from a primary, by the names that they gave: pg_stat_replication, judged.

Walsenders feed others than standbys, and any of them may be ``streaming``: a base backup and
pg_receivewal, which never replay anything, and subscribers, which have a logical slot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from ..errors import SourceUnavailable
from ..hosts import is_host, literal
from ..typed import NamedTuple
from .lag import Lag, Limits, excess

STATEMENTS = (
    "SELECT pg_is_in_recovery(), current_user",
    # A standby gets no more than what is flushed.  reply_time is by the standby's own clock.
    """
    SELECT s.application_name, s.state, l.slot_name IS NOT NULL, s.replay_lsn IS NOT NULL,
           GREATEST(0, pg_wal_lsn_diff(p.flushed, s.replay_lsn)),
           CASE WHEN s.replay_lsn >= p.flushed THEN 0 ELSE EXTRACT(epoch FROM
               COALESCE(s.replay_lag, '0') + GREATEST(clock_timestamp() - s.reply_time, '0')) END
      FROM pg_stat_replication AS s
     CROSS JOIN (SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END)
           AS p (flushed)
      LEFT JOIN pg_replication_slots AS l ON l.active_pid = s.pid AND l.slot_type = 'logical'
     ORDER BY s.application_name, s.pid
    """,
)

# What a standby is called whose administrator did not say.
_NO_NAMES = {"walreceiver"}

Row = Sequence["str | None"]
Naming = Callable[[str], "str | None"]
"""The host that goes by a name, or None if that is nobody's."""


class Walsender(NamedTuple):
    """A process that sends WAL to somebody."""

    name: str
    state: str
    logical: bool
    replays: bool
    lag: Lag


class Standbys(NamedTuple):
    """Those to serve, and why the others are not among them."""

    names: list[str]
    left_out: list[str]
    strangers: list[str]
    """Names of those who could serve, if anybody knew who they are."""

    def require_a_name(self) -> None:
        """Raise SourceUnavailable if there are standbys, but all of them are strangers."""
        if self.strangers and not self.names:
            names = ", ".join(f"{name!a}" for name in self.strangers)
            raise SourceUnavailable(
                f"nobody knows the standbys {names}: set application_name, or use --node"
            )


def walsenders(role: Row, rows: Iterable[Row]) -> list[Walsender]:
    """What the rows of the two statements say.

    Raises SourceUnavailable if the server is not a primary, or does not show its walsenders.
    """
    in_recovery, user = role
    if in_recovery == "t":
        raise SourceUnavailable("the server is in recovery: a standby, not the primary")
    return [_walsender(row, user or "") for row in rows]


def _walsender(row: Row, user: str) -> Walsender:
    name, state, logical, replays, behind, late = row
    if state is None:
        raise SourceUnavailable(
            f"role {user} may not see the state of walsenders: GRANT pg_monitor TO {user}"
        )
    return Walsender(
        name=name or "",
        state=state,
        logical=logical == "t",
        replays=replays == "t",
        lag=Lag(
            bytes=None if behind is None else float(behind),
            seconds=None if late is None else float(late),
        ),
    )


def standbys(found: Iterable[Walsender], naming: Naming, limits: Limits) -> Standbys:
    """The hosts that are standbys and may serve, each once."""
    names: dict[str, None] = {}
    left_out, strangers = [], []
    for walsender in found:
        why_not = _why_not(walsender, limits)
        host = naming(walsender.name)
        if why_not:
            left_out.append(f"{walsender.name!a}: {why_not}")
        elif host is None:
            left_out.append(f"{walsender.name!a}: nobody goes by that name")
            strangers.append(walsender.name)
        else:
            names[host] = None
    return Standbys(list(names), left_out, strangers)


def _why_not(walsender: Walsender, limits: Limits) -> str:
    if walsender.state != "streaming":
        return f"is in state {walsender.state}"
    if walsender.logical:
        return "is no standby but a subscriber"
    if not walsender.replays:
        return "is no standby, it replays nothing"
    return excess(walsender.lag, limits)


def listed(hosts: Collection[str]) -> Naming:
    """By these names alone, in whatever case and spelling of an address.

    >>> [listed(["Node1", "fd77::1"])(name) for name in ("node1", "FD77:0::1", "node2")]
    ['Node1', 'fd77::1', None]
    """
    spelled = {_plain(host): host for host in hosts}
    return lambda name: spelled.get(_plain(name))


def members(nodes: Collection[str]) -> Naming:
    """By the nodes of a cluster; who is not in it is known by an address.

    >>> [members(["node1"])(name) for name in ("node1", "192.0.2.4", "node4")]
    ['node1', '192.0.2.4', None]
    """
    nodes_named = listed(nodes)
    return lambda name: nodes_named(name) or literal(name)


def anybody(name: str) -> str | None:
    """Anything that can be a host.

    >>> [anybody(name) for name in ("node1", "192.0.2.4", "15/main", "walreceiver", "")]
    ['node1', '192.0.2.4', None, None, None]
    """
    return (literal(name) or name) if is_host(name) and name not in _NO_NAMES else None


def _plain(name: str) -> str:
    return literal(name) or name.lower()
