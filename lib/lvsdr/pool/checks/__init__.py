"""Checks of candidates: each replaces the verdict IN of a candidate with its own.

To add a check, write a module with ``check_candidates(candidates, spec, limits)`` and add a line to
``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..model import Candidate, CheckLimits, PoolSpec
from . import script

Check = Callable[[list[Candidate], PoolSpec, CheckLimits], list[Candidate]]

CHECKS: dict[str, Check] = {
    "script": script.check_candidates,
}


def run_checks(candidates: list[Candidate], spec: PoolSpec, limits: CheckLimits) -> list[Candidate]:
    """Return the candidates after every configured check."""
    for check in CHECKS.values():
        candidates = check(candidates, spec, limits)
    return candidates
