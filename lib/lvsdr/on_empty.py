"""Nobody is fit: who serves instead.  Pure; for the director alone.

With ``on_empty=keep`` those go on that serve now and are alive, the ones first that are there to
stay, then the ones that may only be out of the cluster's sight; then comes the fallback; without a
usable one those that are on their way out, and those whose failure is not certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from .ipvs.table import RealServerKey
from .model import Outcome, Verdict
from .report import Row
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

Keys = AbstractSet[RealServerKey]


class Instead(NamedTuple):
    """What becomes of the pool, and the sentence that says so."""

    rows: list[Row]
    kept: Keys
    """Those that stay as they are."""
    said: str


def instead(
    rows: list[Row],
    serving: Keys,
    fallback: Mapping[RealServerKey, Row],
    *,
    unavailable: str | None,
    keep: bool,
) -> Instead:
    """Who serves; ``serving`` has a weight now, ``fallback`` is usable.

    While one serves of which nothing is known (``unavailable`` says why, if of nobody), it may well
    be fit: no fallback comes in.
    """
    known = [row for row in rows if keep and row.key in serving and row.key not in fallback]
    staying = _having(known, _stays)
    if any(row.key in serving and row.verdict.outcome is Outcome.UNKNOWN for row in rows):
        said = unavailable and f"pool kept as it is: {unavailable}"
        kept = staying | (serving & fallback.keys())
        return Instead(rows, kept, said or "no real server is known to be fit")
    kept = staying or _having(known, _may_be_there)
    if fallback and not kept:
        rows = [fallback.get(row.key, row) if row.key else row for row in rows]
        names = ", ".join(row.host for row in fallback.values())
        return Instead(rows, kept, f"no real server is fit: serving from the fallback {names}")
    kept = kept or _having(known, _leaves) or _having(known, _in_doubt)
    what = f"keeping the {len(kept)} that still serve" if kept else "nobody serves"
    return Instead(rows, kept, f"no real server is fit: {what}")


def _stays(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and not verdict.leaving and not verdict.grace


def _may_be_there(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and verdict.grace > 0


def _leaves(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.WITHDRAWN and verdict.leaving


def _in_doubt(verdict: Verdict) -> bool:
    return not verdict.certain


def _having(rows: Iterable[Row], quality: Callable[[Verdict], bool]) -> Keys:
    return frozenset(row.key for row in rows if row.key and quality(row.verdict))
