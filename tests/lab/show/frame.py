"""Beginning and end of a demonstration."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tests.lab.show.screen import Screen


def opening(screen: Screen, title: str, drawing: str, explanation: str) -> None:
    """Explain the drawing, and which parts of the lab are real."""
    screen.headline(title)
    for line in drawing.strip("\n").splitlines():
        screen.line(line)
    screen.line()
    screen.paragraph(explanation)


def closing(screen: Screen, lines: Sequence[str]) -> None:
    """Summarise the demonstration, and name the next steps."""
    screen.headline("Summary")
    for line in lines:
        screen.line("  ", line)
    screen.line()


def say(message: str) -> None:
    """Print a message on standard error, beside the demonstration."""
    print(f"demo: {message}", file=sys.stderr, flush=True)


def run_demonstration(demonstrate: Callable[[], None]) -> bool:
    """Run it, and return whether every promise was kept. If not, print the difference."""
    try:
        demonstrate()
    except AssertionError as difference:
        say(f"FAILED: {difference}")
        return False
    return True
