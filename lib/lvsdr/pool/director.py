"""The decision from verdicts and policy: the pool that the kernel shall have.  Pure.

Input are the actual pool and the drains of earlier cycles.  Output are the wanted pool, the new
drains, and a reason for every change.  The rules:

- IN: the real server gets its weight.
- WITHDRAWN: it gets weight 0, so that its established connections finish.  It is deleted when no
  connection is left, or when its drain timeout is over.
- FAILED: it is deleted at once.  Its clients learn of the failure with their next packet, if
  ``expire_nodest_conn`` is set.  A real server that may only be out of the cluster's sight is
  withdrawn first, for the grace of its verdict.
- UNKNOWN: it stays exactly as it is, and is neither added, nor changed, nor deleted.  Weight 0, an
  administrator's command, is the exception: it drains.
- Under a scheduler that refuses clients at weight 0 (dh), real servers are deleted instead of
  getting weight 0.

If no real server that is IN has a weight, ``on_empty`` decides which ones serve instead.  Fallbacks
join while too few serve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from ..ipvs.table import RealServerConfig, RealServerKey
from ..values.light_typing import NamedTuple
from .change_messages import Row
from .fallback import complete_pool
from .model import Findings as Findings
from .model import Outcome
from .rows import build_rows
from .wanted_entry import Goal as Goal
from .wanted_entry import Pool as Pool
from .wanted_entry import choose_entry, find_present_entry, has_connections, needs_zero_weight


class Decision(NamedTuple):
    """The pool as it shall be, with the reasons for the log and for the operator."""

    real_servers: Mapping[RealServerKey, RealServerConfig]
    drains: Mapping[RealServerKey, float]
    """The time at which each withdrawn real server was withdrawn (seconds, monotonic clock)."""
    rows: tuple[Row, ...]
    degraded: tuple[str, ...]
    """The reasons why the pool is less than configured; empty for a good pool."""
    enough_since: float | None = None
    """The time since which enough real servers serve beside a fallback that still serves."""


def decide(
    pool: Pool,
    findings: Findings,
    goal: Goal,
    drains: Mapping[RealServerKey, float],
    now: float,
    settling_keys: AbstractSet[RealServerKey] = frozenset(),
    enough_since: float | None = None,
) -> Decision:
    """Return the pool that follows from the verdicts.

    ``now`` is in seconds of the monotonic clock.  ``settling_keys`` contains the real servers that
    an earlier pass of this cycle has withdrawn.  ``enough_since`` is that of the last decision.
    """
    rows = [
        _spare_during_grace(_obey_weight_0(row, pool, drains), pool, drains, now)
        for row in build_rows(pool, findings, goal)
    ]
    degraded = _list_degradations(rows, pool, findings)
    rows, kept_keys, sentences, enough_since = complete_pool(
        rows, pool, findings, goal, enough_since, now
    )
    degraded.extend(sentences)
    wanted: dict[RealServerKey, RealServerConfig] = {}
    drain_starts: dict[RealServerKey, float] = {}
    for row in rows:
        if row.key is None:
            continue
        drain_start = drains.get(row.key, now)
        is_kept = row.key in kept_keys
        entry = choose_entry(row, pool, goal, now - drain_start, settling_keys)
        config = find_present_entry(row, pool) if is_kept else entry
        if config is not None:
            wanted[row.key] = config
            if _is_draining(row, drains) and (row.verdict.grace or not is_kept):
                drain_starts[row.key] = drain_start
    explained_rows = tuple(_explain_row(row, pool, wanted, goal, drains) for row in rows)
    reasons = tuple(dict.fromkeys(degraded))
    return Decision(wanted, drain_starts, explained_rows, reasons, enough_since)


def _obey_weight_0(row: Row, pool: Pool, drains: Mapping[RealServerKey, float]) -> Row:
    """Return the row; an unknown real server that an administrator drains is drained.

    A command is no ignorance.  The state is often unknown because of the same work: maintenance.
    A withdrawal before has started the time of the drain, which goes on.
    """
    is_drained = row.weight == 0 and row.key in pool and row.key not in drains
    if row.verdict.outcome is not Outcome.UNKNOWN or not is_drained:
        return row
    return row._replace(verdict=row.verdict._replace(outcome=Outcome.IN))


def _spare_during_grace(
    row: Row, pool: Pool, drains: Mapping[RealServerKey, float], now: float
) -> Row:
    """Return the row; a failed real server in the pool counts as withdrawn during its grace."""
    verdict = row.verdict
    if row.key is None or row.key not in pool or verdict.outcome is not Outcome.FAILED:
        return row
    is_over = now - drains.get(row.key, now) >= verdict.grace
    return row if is_over else row._replace(verdict=verdict._replace(outcome=Outcome.WITHDRAWN))


def _is_draining(row: Row, drains: Mapping[RealServerKey, float]) -> bool:
    """Test whether the drain time of a real server runs.

    An interval of UNKNOWN does not restart it.
    """
    outcome = row.verdict.outcome
    return outcome is Outcome.WITHDRAWN or (outcome is Outcome.UNKNOWN and row.key in drains)


def _list_degradations(rows: Sequence[Row], pool: Pool, findings: Findings) -> list[str]:
    """Return the reasons to show to an operator although the pool works."""
    reasons = (
        []
        if findings.unavailable_reason is None
        else [f"pool kept as it is: {findings.unavailable_reason}"]
    )
    for row in rows:
        outcome = row.verdict.outcome
        is_new = outcome is Outcome.UNKNOWN and row.verdict.reason != findings.unavailable_reason
        if is_new and row.key in pool:
            reasons.append(f"{row.host} kept as it is: {row.verdict.reason}")
        elif is_new and row.key is None:
            reasons.append(f"{row.host} left out: {row.verdict.reason}")
    # A candidate of the same host comes first in the rows and hides an unusable fallback.
    unknown_fallbacks = (
        server for server in findings.fallback if server.verdict.outcome is Outcome.UNKNOWN
    )
    reasons += [
        f"{server.host} left out: {server.verdict.reason}"
        for server in unknown_fallbacks
        if server.address is None
    ]
    failed_servers = (
        server for server in findings.located if server.verdict.outcome is Outcome.FAILED
    )
    reasons += [
        f"{server.host} has failed: {server.verdict.reason}"
        for server in failed_servers
        if server.host in findings.listed_hosts
    ]
    return [*reasons, *findings.complaints]


def _explain_row(
    row: Row,
    pool: Pool,
    wanted: Mapping[RealServerKey, RealServerConfig],
    goal: Goal,
    drains: Mapping[RealServerKey, float],
) -> Row:
    if row.key is None:
        return row
    server, config = pool.get(row.key), wanted.get(row.key)
    return row._replace(
        weight_before=None if server is None else server.config.weight,
        weight_after=None if config is None else config.weight,
        busy=server is not None and has_connections(server),
        cut=goal.refuses_at_zero and needs_zero_weight(row),
        drained=row.key in drains,
    )
