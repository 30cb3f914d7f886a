"""The number of serving real servers, and the fallbacks that complete it.  Pure.

Fallbacks join while fewer than ``fallback_below`` real servers serve.  These count: IN with a
weight, and UNKNOWN with a weight now.  While none counts, or ``on_empty=keep`` keeps others,
decision 004 alone decides, because a fallback may just have died then.  With a number above 1 the
fallbacks stay for a while after enough real servers serve again: a real server that comes and goes
does not move the fallbacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from ..ipvs.table import RealServerKey
from ..values.light_typing import NamedTuple
from .change_messages import Row
from .model import Findings, Outcome
from .rows import build_row
from .wanted_entry import Goal, Pool
from .when_empty import serve_when_empty

FALLBACK_HOLD = 30.0  # seconds; longer than the recovery of a failed standby by Pacemaker

Keys = AbstractSet[RealServerKey]


class Completion(NamedTuple):
    """The rows with the fallbacks that serve, and the sentences for the operator."""

    rows: list[Row]
    kept_keys: Keys
    """The real servers that stay as they are."""
    sentences: tuple[str, ...] = ()
    enough_since: float | None = None
    """The time since which enough others serve beside a fallback; None if that is not so."""


def complete_pool(
    rows: list[Row],
    pool: Pool,
    findings: Findings,
    goal: Goal,
    enough_since: float | None,
    now: float,
) -> Completion:
    """Let fallbacks join while too few real servers serve.

    ``enough_since`` is that of the last cycle.
    """
    serving_keys = {key for key, server in pool.items() if server.config.weight > 0}
    fallback = [row for row in (build_row(it, goal) for it in findings.fallback) if row.key]
    usable = {row.key: row for row in fallback if row.key and is_serving(row)}
    fit_keys = {row.key for row in rows if is_serving(row)}
    unknown_keys = {row.key for row in rows if row.key in serving_keys and _is_unknown(row)}
    kept_keys: Keys = frozenset()
    sentences: tuple[str, ...] = ()
    if not fit_keys:
        rows, kept_keys, sentence = serve_when_empty(
            rows,
            serving_keys,
            usable,
            unavailable_reason=findings.unavailable_reason,
            keep=goal.policy.keep_when_empty,
        )
        sentences = (sentence,)
    count = len(fit_keys | unknown_keys)
    if not count or kept_keys - {row.key for row in fallback}:
        return Completion(rows, kept_keys, sentences)
    settled_keys = unknown_keys | {row.key for row in rows if is_serving(row)}
    idle = {key: row for key, row in usable.items() if key not in settled_keys}
    wanted = goal.policy.fallback_below
    if count < wanted:
        sentences += _describe_lack(count, wanted, idle.values(), bool(fallback))
        return Completion(_replace_rows(rows, idle), kept_keys, sentences)
    leaving = {key: row for key, row in idle.items() if key in serving_keys}
    if not leaving or wanted == 1:
        return Completion(rows, kept_keys, sentences)
    since = now if enough_since is None else enough_since
    is_held = now - since < FALLBACK_HOLD
    return Completion(
        _replace_rows(rows, leaving) if is_held else rows, kept_keys, sentences, since
    )


def is_serving(row: Row) -> bool:
    """Test for a fit real server with a weight."""
    return row.verdict.outcome is Outcome.IN and row.weight > 0 and row.key is not None


def _is_unknown(row: Row) -> bool:
    return row.verdict.outcome is Outcome.UNKNOWN


def _replace_rows(rows: list[Row], by_key: Mapping[RealServerKey, Row]) -> list[Row]:
    return [by_key.get(row.key, row) if row.key else row for row in rows]


def _describe_lack(
    count: int, wanted: int, joining: Iterable[Row], expected: bool
) -> tuple[str, ...]:
    """Return the sentence on a pool that is too small.

    ``expected`` is true if a fallback is expected to join.
    """
    names = ", ".join(row.host for row in joining)
    lack = f"only {count} of the {wanted} wanted real servers serve"
    if names:
        return (f"{lack}: serving from the fallback {names}, too",)
    return (f"{lack}, and no other fallback can",) if expected else ()
