"""Results of the parts: read from their reports, in the format of JUnit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.parts.declaration import Part
from tests.support.junit import Outcome, outcomes

PATTERN = "junit*.xml"
BAD = ("failed", "error")


class Result(NamedTuple):
    """The result of one part."""

    part: str
    status: int | None
    """Exit status; None if the part did not run."""
    seconds: float = 0.0
    outcomes: Sequence[Outcome] = ()

    def count(self, *words: str) -> int:
        """Return the number of tests with one of these outcomes."""
        return sum(outcome.word in words for outcome in self.outcomes)


def prepare(part: Part) -> None:
    """Remove the reports of an earlier run, which would count for this one."""
    if part.reports:
        part.directory.mkdir(parents=True, exist_ok=True)
        for report in part.directory.rglob(PATTERN):
            report.unlink()


def read(part: Part, status: int, seconds: float, output: Sequence[str]) -> Result:
    """Return the result of a part that has ended; `output` is the end of its output."""
    reports = sorted(part.directory.rglob(PATTERN)) if part.reports else []
    found = [outcome for report in reports for outcome in outcomes(part.name, report)]
    problem = find_problem(part, status, reports, found)
    if problem:
        text = "\n".join([*output, f"{part.name}: {problem}"])
        found.append(Outcome(part.name, "error", text=text))
    failed = any(outcome.word in BAD for outcome in found)
    return Result(part.name, status or int(failed), seconds, found)


def find_problem(
    part: Part, status: int, reports: Sequence[Path], found: Sequence[Outcome]
) -> str | None:
    """Return the problem of a part beside its reported tests; None if there is none."""
    if not part.reports:
        return f"failed with exit status {status}" if status else None
    if not reports:
        return f"left no report in {part.directory}, exit status {status}"
    if status and not any(outcome.word in BAD for outcome in found):
        return f"exit status {status}, although no test failed"
    if not found:
        return "ran no test"
    return None


def exit_status(results: Sequence[Result]) -> int:
    """Return the worst exit status of all parts; a part that did not run counts as 1."""
    return max((1 if result.status is None else result.status for result in results), default=1)
