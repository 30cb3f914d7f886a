"""The lag of standbys by the WAL positions of all servers over time.

The reference is the primary's position, or without a primary that of the freshest standby.  A
position that was seen at one time had been written by then, so every lag here is a lower bound: a
standby is found too far behind only if it certainly is.  An idle primary writes nothing, so there
is nothing to replay, and no lag.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ..values.light_typing import NamedTuple
from .lag import Lag, Limits, find_excess, parse_int

# All names are qualified: the server must not run functions of another schema.
STATEMENT = """
    SELECT pg_catalog.pg_is_in_recovery(),
           CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
               pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), '0/0') END,
           pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), '0/0'),
           pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_replay_lsn(), '0/0')
"""

_MOST_SAMPLES = 200


class Positions(NamedTuple):
    """The WAL positions of a server in bytes; None if it has no such position."""

    in_recovery: bool
    written: int | None
    """The end of the WAL that a primary has flushed."""
    received: int | None
    replayed: int | None


class ReferenceSample(NamedTuple):
    """A position that the reference had reached at a time, in seconds."""

    at: float
    position: int


class LagHistory(NamedTuple):
    """The positions seen so far."""

    samples: tuple[ReferenceSample, ...] = ()
    """The reference, oldest first."""
    latest: Mapping[str, tuple[float, Positions]] = {}
    """Time and positions of the last answer of each host."""
    behind: frozenset[str] = frozenset()
    """The hosts that were too far behind, and have not come back to half of the limit."""


def parse_positions(row: Sequence[str | None]) -> Positions:
    """Return the positions in a row of the statement; raise ValueError for any other row."""
    in_recovery, written, received, replayed = row
    numbers = map(parse_int, (written, received, replayed))
    return Positions(in_recovery == "t", *numbers)


def add_positions(
    history: LagHistory, host: str, positions: Positions, at: float, limits: Limits, max_age: float
) -> LagHistory:
    """Return the history with one more answer.

    Answers older than ``max_age`` seconds do not count for the reference.
    """
    latest = {**history.latest, host: (at, positions)}
    fresh = [found for seen, found in latest.values() if at - seen <= max_age]
    reference = _reference(fresh)
    samples = history.samples
    if reference is not None:
        samples = _add_sample(samples, ReferenceSample(at, reference), limits.seconds or 0.0)
    updated = history._replace(samples=samples, latest=latest)
    behind = updated.behind - {host}
    if explain_lag(updated, host, limits):
        behind |= {host}
    return updated._replace(behind=behind)


def keep_hosts(history: LagHistory, hosts: Collection[str]) -> LagHistory:
    """Return the history without the answers of all other hosts."""
    latest = {host: seen for host, seen in history.latest.items() if host in hosts}
    return history._replace(latest=latest, behind=history.behind & frozenset(hosts))


def _reference(servers: Collection[Positions]) -> int | None:
    """Return the end of the WAL, as far as these servers know it.

    >>> standbys = [Positions(True, None, 9, 7), Positions(True, None, None, 8)]
    >>> _reference(standbys), _reference([*standbys, Positions(False, 12, None, None)])
    (9, 12)
    """
    written = [one.written for one in servers if one.written is not None]
    known = [end for one in servers for end in (one.received, one.replayed) if end is not None]
    return max(written or known, default=None)


def _add_sample(
    samples: tuple[ReferenceSample, ...], sample: ReferenceSample, seconds: float
) -> tuple[ReferenceSample, ...]:
    """Return the samples of the last ``seconds``, and the last one before, with one more.

    Samples that follow each other too closely are left out, so that their number is bounded.  With
    fewer samples, a lower bound of the lag is still one.
    """
    if len(samples) > 1 and samples[-1].at - samples[-2].at < seconds / _MOST_SAMPLES:
        samples = samples[:-1]
    older = sum(one.at < sample.at - seconds for one in samples)
    return (*samples[max(0, older - 1) :], sample)


def find_lag(history: LagHistory, host: str) -> tuple[Lag, float | None]:
    """Return the least possible lag of a standby, and the most seconds; None if unknown.

    The newest reference that it has replayed tells when it was up to date.

    >>> samples = (ReferenceSample(1, 10), ReferenceSample(2, 20), ReferenceSample(3, 30))
    >>> history = LagHistory(samples, {"node1": (3.5, Positions(True, None, 30, 12))})
    >>> find_lag(history, "node1")
    (Lag(bytes=18, seconds=1.5), 2.5)
    """
    at, positions = history.latest[host]
    if positions.replayed is None or not history.samples:
        return Lag(None, None), None
    samples = [sample for sample in history.samples if sample.at <= at]
    missing = max(0, samples[-1].position - positions.replayed) if samples else 0
    since = at
    for sample in reversed(samples):
        if sample.position <= positions.replayed:
            return Lag(missing, at - since), 0 if since == at else at - sample.at
        since = sample.at
    return Lag(missing, at - since), None


def explain_lag(history: LagHistory, host: str, limits: Limits) -> str:
    """Return why a standby is too far behind; an empty text if it is not, or if it is unknown.

    A standby that was too far behind must come back to half of the limit.
    """
    least, most = find_lag(history, host)
    if least.bytes is None:
        return ""
    too_far = find_excess(least, limits)
    if too_far or host not in history.behind:
        return too_far
    half = Limits(*(None if most is None else most / 2 for most in limits))
    still = find_excess(Lag(least.bytes, most), half)
    return f"{still}, half of the limit" if still else ""
