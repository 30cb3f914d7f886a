"""The choice of the real servers that serve while none is fit.  Pure; for the director alone.

Real servers that have a weight now may go on with ``on_empty=keep``.  The first of these groups
that is not empty serves:

1. withdrawn real servers that stay;
2. withdrawn real servers that may only be out of the cluster's sight;
3. the usable fallbacks;
4. withdrawn real servers that are about to stop;
5. real servers with an uncertain failure.

Only the fallbacks serve with ``on_empty=empty``.  A real server with weight 0 in the configuration
or in a node attribute is in no group: an administrator drains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from ..ipvs.table import RealServerKey
from ..values.light_typing import NamedTuple
from .change_messages import Row
from .model import Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

Keys = AbstractSet[RealServerKey]


class EmptyPool(NamedTuple):
    """The rows of the pool without a fit real server, and the sentence for the operator."""

    rows: list[Row]
    kept_keys: Keys
    """The real servers that stay as they are."""
    sentence: str


def serve_when_empty(
    rows: list[Row],
    serving_keys: Keys,
    fallback_rows: Mapping[RealServerKey, Row],
    *,
    unavailable_reason: str | None,
    keep: bool,
) -> EmptyPool:
    """Choose the real servers that serve while none is fit.

    ``serving_keys`` are those with a weight now.  ``fallback_rows`` are the usable fallbacks.  A
    serving real server of unknown state may well be fit, so it keeps the fallback out.
    ``unavailable_reason`` is the reason if nothing at all is known.
    """
    known_rows = [
        row
        for row in rows
        if keep and row.weight > 0 and row.key in serving_keys and row.key not in fallback_rows
    ]
    staying_keys = _select_keys(known_rows, _is_staying)
    if any(row.key in serving_keys and row.verdict.outcome is Outcome.UNKNOWN for row in rows):
        sentence = unavailable_reason and f"pool kept as it is: {unavailable_reason}"
        kept_keys = staying_keys | (serving_keys & fallback_rows.keys())
        return EmptyPool(rows, kept_keys, sentence or "no real server is known to be fit")
    kept_keys = staying_keys or _select_keys(known_rows, _may_be_out_of_sight)
    has_fit = any(row.key and row.verdict.outcome is Outcome.IN for row in rows)
    cause = "every fit real server has weight 0" if has_fit else "no real server is fit"
    if fallback_rows and not kept_keys:
        rows = [fallback_rows.get(row.key, row) if row.key else row for row in rows]
        names = ", ".join(row.host for row in fallback_rows.values())
        return EmptyPool(rows, kept_keys, f"{cause}: serving from the fallback {names}")
    kept_keys = (
        kept_keys
        or _select_keys(known_rows, _is_leaving)
        or _select_keys(known_rows, _is_uncertain)
    )
    consequence = (
        f"keeping the {len(kept_keys)} that still serve"
        if kept_keys
        else "none gets new connections"
    )
    return EmptyPool(rows, kept_keys, f"{cause}: {consequence}")


def _is_staying(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and not verdict.leaving and not verdict.grace


def _may_be_out_of_sight(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and verdict.grace > 0


def _is_leaving(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and verdict.leaving


def _is_uncertain(verdict: Verdict) -> bool:
    return not verdict.certain


def _select_keys(rows: Iterable[Row], quality: Callable[[Verdict], bool]) -> Keys:
    return frozenset(row.key for row in rows if row.key and quality(row.verdict))
