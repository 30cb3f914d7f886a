"""Verdicts and policy, turned into the pool that the kernel shall have.

Pure: the actual pool and what was remembered of earlier cycles go in; the wanted pool, the new
memory, and a sentence for everything that changes come out.  The rules:

- IN gets its weight.
- WITHDRAWN gets weight 0, so that its established connections finish, and is deleted when none is
  left, or when its drain timeout is over.
- FAILED is deleted at once; with ``expire_nodest_conn`` its clients learn it on their next packet.
  One that may only be out of the cluster's sight is withdrawn first, for as long as that may take.
- UNKNOWN stays exactly as it is: it is neither added, nor changed, nor deleted.
- Under a scheduler that refuses clients at weight 0 (dh), deleted stands for weight 0.

When nobody who is IN has a weight, ``on_empty`` says who serves instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from .entries import Goal as Goal
from .entries import Pool as Pool
from .entries import entry, has_connections, unchanged, wants_zero
from .ipvs.table import RealServerConfig, RealServerKey
from .model import FITNESS, Located, Outcome, Verdict
from .on_empty import Instead, instead
from .report import Row
from .typed import NamedTuple


class Judged(NamedTuple):
    """Everything that was found out about who may serve."""

    located: Sequence[Located]
    fallback: Sequence[Located]
    """Judged by the state of their nodes alone."""
    hosts: Mapping[str, str]
    """The last known host of each address."""
    asked: AbstractSet[str] = frozenset()
    """Hosts that the administrator listed as candidates: missed when they have failed."""
    unavailable: str | None = None
    """Why nothing is known of those that nobody named, if that is so."""
    nodes: Mapping[str, Verdict] = {}
    """What the state of their nodes says of hosts that nobody named, where it says anything."""
    complaints: Sequence[str] = ()
    """What was asked for and has no effect."""
    hands_off: str | None = None
    """The reason why the agent may change nothing now, if there is one."""

    @property
    def blind(self) -> bool:
        """Whether the cluster itself could not be asked."""
        return self.unavailable is not None and not self.located


class Decision(NamedTuple):
    """The pool as it shall be, and all that is to be said about it."""

    real_servers: Mapping[RealServerKey, RealServerConfig]
    drains: Mapping[RealServerKey, float]
    """Since when each withdrawn real server has been so (seconds, monotonic clock)."""
    rows: tuple[Row, ...]
    degraded: tuple[str, ...]
    """Why the pool is less than what was asked for; empty for a good one."""


def decide(
    pool: Pool,
    judged: Judged,
    goal: Goal,
    drains: Mapping[RealServerKey, float],
    now: float,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> Decision:
    """Return the pool that follows from the verdicts.

    ``now`` is in seconds of the monotonic clock; ``settling`` has the real servers that an earlier
    pass of this cycle has withdrawn.
    """
    rows = [_for_now(row, pool, drains, now) for row in _considered(pool, judged, goal)]
    degraded = _misgivings(rows, pool, judged)
    kept: AbstractSet[RealServerKey] = frozenset()
    if not any(_serves(row) for row in rows):
        rows, kept, said = _without_anybody(rows, pool, judged, goal)
        degraded.append(said)
    wanted: dict[RealServerKey, RealServerConfig] = {}
    since: dict[RealServerKey, float] = {}
    for row in rows:
        if row.key is None:
            continue
        began = drains.get(row.key, now)
        stays = row.key in kept
        config = unchanged(row, pool) if stays else entry(row, pool, goal, now - began, settling)
        if config is not None:
            wanted[row.key] = config
            if _drains(row, drains) and (row.verdict.grace or not stays):
                since[row.key] = began
    explained = tuple(_explained(row, pool, wanted, goal, drains) for row in rows)
    return Decision(wanted, since, explained, tuple(dict.fromkeys(degraded)))


def _for_now(row: Row, pool: Pool, drains: Mapping[RealServerKey, float], now: float) -> Row:
    """A failure of one in the pool is a withdrawal while its grace lasts."""
    verdict = row.verdict
    if row.key is None or row.key not in pool or verdict.outcome is not Outcome.FAILED:
        return row
    over = now - drains.get(row.key, now) >= verdict.grace
    return row if over else row._replace(verdict=verdict._replace(outcome=Outcome.WITHDRAWN))


def _drains(row: Row, drains: Mapping[RealServerKey, float]) -> bool:
    """Whether its time runs; it does not start again because nobody could say for a while."""
    outcome = row.verdict.outcome
    return outcome is Outcome.WITHDRAWN or (outcome is Outcome.UNKNOWN and row.key in drains)


def _considered(pool: Pool, judged: Judged, goal: Goal) -> list[Row]:
    """One row for each real server: candidates, then fallbacks, then what else is in the pool.

    Where two hosts have one address, the fitter of them speaks for it.  A fallback is judged by its
    node: that the resource is not running there, as on the primary, is no failure of its own.
    """
    needless = Verdict(Outcome.WITHDRAWN, "is a fallback only")
    unnamed = nameless = Verdict(Outcome.WITHDRAWN, "is no longer a candidate")
    if judged.unavailable is not None:
        needless = unnamed = nameless = Verdict(Outcome.UNKNOWN, judged.unavailable)
    elif any(s.address is None and s.verdict.outcome is Outcome.UNKNOWN for s in judged.located):
        nameless = Verdict(Outcome.UNKNOWN, "may be one of those whose address is not known")
    rows = [_row(server, goal) for server in judged.located]
    rows.sort(key=lambda row: FITNESS.index(row.verdict.outcome))
    idle = [_row(_idle(server, needless), goal) for server in judged.fallback]
    alive = {row.key for row in idle if row.key and row.verdict.outcome is not Outcome.FAILED}
    rows = [r for r in rows if r.verdict.outcome is not Outcome.FAILED or r.key not in alive] + idle
    for key in pool:
        host = judged.hosts.get(key.address)
        verdict = judged.nodes.get(host, unnamed) if host else nameless
        rows.append(Row(host or key.address, key, 0, verdict))
    seen: dict[object, Row] = {}
    for row in rows:
        seen.setdefault(row.key or row.host, row)
    return list(seen.values())


def _idle(server: Located, needless: Verdict) -> Located:
    """A fallback that is not needed; what its node's failure means does not depend on that."""
    settled = server.verdict.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
    return server if settled else server._replace(verdict=needless)


def _row(server: Located, goal: Goal) -> Row:
    key = None if server.address is None else RealServerKey(server.address, goal.port)
    return Row(server.host, key, server.weight, server.verdict, weight_from=server.weight_from)


def _serves(row: Row) -> bool:
    return row.verdict.outcome is Outcome.IN and row.weight > 0 and row.key is not None


def _misgivings(rows: Sequence[Row], pool: Pool, judged: Judged) -> list[str]:
    """What an operator should know although the pool works."""
    said = [] if judged.unavailable is None else [f"pool kept as it is: {judged.unavailable}"]
    for row in rows:
        outcome = row.verdict.outcome
        news = outcome is Outcome.UNKNOWN and row.verdict.reason != judged.unavailable
        if news and row.key in pool:
            said.append(f"{row.host} kept as it is: {row.verdict.reason}")
        elif news and row.key is None:
            said.append(f"{row.host} left out: {row.verdict.reason}")
    # A candidate of the same name may hide that the fallback cannot serve.
    lost = (s for s in judged.fallback if s.verdict.outcome is Outcome.UNKNOWN)
    said += [f"{s.host} left out: {s.verdict.reason}" for s in lost if s.address is None]
    failed = (s for s in judged.located if s.verdict.outcome is Outcome.FAILED)
    said += [f"{s.host} has failed: {s.verdict.reason}" for s in failed if s.host in judged.asked]
    return [*said, *judged.complaints]


def _without_anybody(rows: list[Row], pool: Pool, judged: Judged, goal: Goal) -> Instead:
    serving = {key for key, server in pool.items() if server.config.weight > 0}
    fallback = [_row(server, goal) for server in judged.fallback]
    return instead(
        rows,
        serving,
        {row.key: row for row in fallback if row.key and _serves(row)},
        unavailable=judged.unavailable,
        keep=goal.policy.keep_when_empty,
    )


def _explained(
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
        before=None if server is None else server.config.weight,
        after=None if config is None else config.weight,
        busy=server is not None and has_connections(server),
        cut=goal.refuses_at_zero and wants_zero(row),
        drained=row.key in drains,
    )
