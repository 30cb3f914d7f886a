"""The output of pgbench."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple


class Load(NamedTuple):
    """The result of pgbench. `latency` is in milliseconds, the average of all transactions."""

    transactions: int
    latency: float
    rate: float


def parse(output: str) -> Load:
    """Return the result that pgbench prints. Raises ValueError if a figure is missing."""
    patterns = {
        "transactions": r"^number of transactions actually processed: (\d+)",
        "latency": r"^latency average = ([\d.]+) ms",
        "rate": r"^tps = ([\d.]+) \(without",
    }
    found = {name: re.search(pattern, output, re.MULTILINE) for name, pattern in patterns.items()}
    missing = [name for name, match in found.items() if match is None]
    if missing:
        raise ValueError(f"pgbench printed no {', '.join(missing)}\n{output}")
    figures = {name: match.group(1) for name, match in found.items() if match}
    return Load(int(figures["transactions"]), float(figures["latency"]), float(figures["rate"]))


def combine(loads: Sequence[Load]) -> Load:
    """Return the loads of processes that ran side by side as one."""
    transactions = sum(load.transactions for load in loads)
    weighted = sum(load.latency * load.transactions for load in loads)
    latency = weighted / transactions if transactions else 0.0
    return Load(transactions, latency, sum(load.rate for load in loads))
