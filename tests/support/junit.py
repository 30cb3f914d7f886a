"""Outcomes of tests that several runs share: read from reports, printed as pytest does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

WORDS = {"failure": "failed", "error": "error", "skipped": "skipped"}
ORDER = ("failed", "passed", "skipped", "error")
WIDTH = 80  # columns
SHOWN = 24  # lines at most, from the end of pytest's report of a failure


class Outcome(NamedTuple):
    """Outcome of one test, of its fixtures, or of a whole run."""

    name: str
    word: str
    """The outcome as pytest names it: passed, failed, skipped, error."""
    seconds: float = 0.0
    text: str = ""
    """The reason, empty if the test passed."""


def outcomes(run: str, report: Path) -> list[Outcome]:
    """Read a run's report in the format of JUnit. A run without a report counts as an error."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError) as problem:
        return [Outcome(run, "error", text=f"ended without a report: {problem}")]
    return [_outcome(case) for case in cases]


def _outcome(case: ElementTree.Element) -> Outcome:
    name = f"{case.get('classname')}::{case.get('name')}"
    seconds = float(case.get("time", "0"))
    for tag, word in WORDS.items():
        found = case.find(tag)
        if found is not None:
            return Outcome(name, word, seconds, (found.text or found.get("message") or "").strip())
    return Outcome(name, "passed", seconds)


def summary(found: Sequence[Outcome], seconds: float) -> list[str]:
    """Return the reasons of failures, and at last the numbers, for the end of a log."""
    failed = [outcome for outcome in found if outcome.word in ("failed", "error")]
    lines = [line for outcome in failed for line in _why(outcome)]
    if failed:
        lines.append(" short test summary info ".center(WIDTH, "="))
        lines += [f"{outcome.word.upper()} {outcome.name}" for outcome in failed]
    return [*lines, f" {_counted(found)} in {seconds:.2f}s ".center(WIDTH, "=")]


def _why(outcome: Outcome) -> Iterable[str]:
    yield f" {outcome.name} ".center(WIDTH, "_")
    yield from outcome.text.splitlines()[-SHOWN:]


def _counted(found: Iterable[Outcome]) -> str:
    counts = Counter(outcome.word for outcome in found)
    return ", ".join(f"{counts[word]} {word}" for word in ORDER if counts[word])
