"""What a walk begins and ends with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from tests.lab.show.screen import Screen


def opening(screen: Screen, title: str, drawing: str, explanation: str) -> None:
    """Say what there is to be seen, and what is real about it."""
    screen.headline(title)
    for line in drawing.strip("\n").splitlines():
        screen.line(line)
    screen.line()
    screen.paragraph(explanation)


def closing(screen: Screen, lines: Sequence[str]) -> None:
    """Say what was seen, and where to go on."""
    screen.headline("What you have seen")
    for line in lines:
        screen.line("  ", line)
    screen.line()


def say(message: str) -> None:
    """Say something on standard error, beside the walk."""
    print(f"demo: {message}", file=sys.stderr, flush=True)


def kept(walk: Callable[[], None]) -> bool:
    """Walk, and return whether every promise was kept; say so on standard error if not."""
    try:
        walk()
    except AssertionError as difference:
        say(f"FAILED: {difference}")
        return False
    return True
