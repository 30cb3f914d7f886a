"""The report at the end of a run: failures, a table of the parts, the slowest tests, a summary."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

from tests.parts.results import BAD, Result
from tests.support.junit import summary

SLOWEST = 10
HEADINGS = ("part", "tests", "failed", "skipped", "seconds")


def report(results: Sequence[Result], seconds: float) -> list[str]:
    """Return the lines of the report. The last one looks like the last line of pytest."""
    *failures, closing = summary(
        [outcome for result in results for outcome in result.outcomes], seconds
    )
    parts = ["", *table(results, seconds), "", *slowest(results)]
    return [*failures, *parts, closing]


def table(results: Sequence[Result], seconds: float) -> list[str]:
    """Return a row for each part, and one for the whole run."""
    every = [outcome for result in results for outcome in result.outcomes]
    rows = [HEADINGS, *map(_row, results), _row(Result("all", 0, seconds, every))]
    first = max(len(row[0]) for row in rows)
    lines = (f"{row[0]:{first}}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows)
    return [line.rstrip() for line in lines]


def _row(result: Result) -> tuple[str, str, str, str, str]:
    if result.status is None:
        return result.part, "not run", "", "", ""
    tests, failed = len(result.outcomes), result.count(*BAD)
    return result.part, str(tests), str(failed), str(result.count("skipped")), _tenths(result)


def _tenths(result: Result) -> str:
    return f"{result.seconds:.1f}"


def slowest(results: Iterable[Result]) -> list[str]:
    """Return a line for each of the slowest tests."""
    timed = (
        (outcome.seconds, result.part, outcome.name)
        for result in results
        for outcome in result.outcomes
    )
    chosen = heapq.nlargest(SLOWEST, timed)
    return [f"slowest {len(chosen)} tests"] + [
        f"{seconds:9.2f}s {part:9} {name}" for seconds, part, name in chosen
    ]
