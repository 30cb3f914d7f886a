"""Is this candidate fit?  A check turns candidates that are IN into what it finds them to be.

Adding a check: a module with ``checked(candidates, spec, deadline)`` and a line in ``CHECKS``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..deadline import Deadline
from ..model import Candidate, PoolSpec
from . import script

Check = Callable[[list[Candidate], PoolSpec, Deadline], list[Candidate]]

CHECKS: dict[str, Check] = {
    "script": script.checked,
}


def check_all(candidates: list[Candidate], spec: PoolSpec, deadline: Deadline) -> list[Candidate]:
    """The candidates after every configured check."""
    for check in CHECKS.values():
        candidates = check(candidates, spec, deadline)
    return candidates
