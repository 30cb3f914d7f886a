"""Command that runs parts of the tests: tests/parts/run check|test, or PART [ARGUMENT...]

A set of parts ends with a table of them all. A single part runs alone, with these arguments.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from tests.parts.declaration import PROCESSORS, SETS, Part, by_name
from tests.parts.results import exit_status, prepare
from tests.parts.scheduler import listen, run_parts
from tests.parts.table import report
from tests.support.paths import ROOT


def run_set(parts: Sequence[Part]) -> int:
    """Run a set of parts, print the report and return the worst exit status."""
    events = listen()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader that is gone ends us at once
    began = time.monotonic()
    results = run_parts(parts, PROCESSORS, events)
    print(*report(results, time.monotonic() - began), sep="\n", flush=True)
    return exit_status(results)


def run_part(part: Part, arguments: Sequence[str]) -> NoReturn:
    """Become the command of a part: it has our terminal."""
    prepare(part)
    os.execvp(part.command[0], [*part.command, *arguments])


def main(arguments: Sequence[str]) -> int:
    os.chdir(ROOT)
    parts = by_name(SETS["test"])
    name = arguments[0] if arguments else ""
    if name in SETS and len(arguments) == 1:
        return run_set(SETS[name])
    if name in parts:
        run_part(parts[name], arguments[1:])
    choices = ", ".join([*SETS, *parts])
    raise SystemExit(f"tests/parts/run: {name!r} is none of: {choices}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
