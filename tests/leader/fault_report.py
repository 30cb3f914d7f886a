"""The effects of faults as a table for the test log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

TITLE = "an address through faults"


class Row(NamedTuple):
    """Effects of a fault. `without` and `both` are seconds."""

    fault: str
    without: float
    doubled: int
    both: float
    before: str
    after: str
    queries: str = ""


ROWS: list[Row] = []


def title(request: pytest.FixtureRequest) -> str:
    """Return the name of a test in words."""
    name: str = request.node.name
    return name[len("test_") :].replace("_", " ")


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of the table, with an explanation of its columns."""
    width = max(len(row.fault) for row in rows)
    head = f"{'fault':{width}}  without  doubled  both had  before -> after"
    lines = [head] + [
        f"{row.fault:{width}}  {row.without:5.2f} s  {row.doubled:7}  {row.both:6.2f} s  "
        f"{row.before} -> {row.after}{row.queries and f'; {row.queries}'}"
        for row in rows
    ]
    return [
        *lines,
        "without: the longest time without an answer to a ping, sent every 50 ms",
        "doubled: number of ARP requests for the address that more than one host answered",
        "both had: how long the kernels of both had it, reachable or not",
    ]
