"""Runner of commands as tests, with a report for JUnit: commands.py DIRECTORY COMMAND...

Each command is one argument, split as a shell does. A failed command does not stop the others.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tests.support.processes import ends_with_us


class Done(NamedTuple):
    """A command that has ended."""

    line: str
    status: int
    seconds: float
    output: str


def run_command(line: str) -> Done:
    """Run a command and show its output when it has ended."""
    began = time.monotonic()
    done = subprocess.run(
        [*ends_with_us(), *shlex.split(line)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, end="", flush=True)
    return Done(line, done.returncode, time.monotonic() - began, done.stdout)


def render(name: str, results: Sequence[Done]) -> str:
    """Return the report: a test case for each command."""
    suite = ElementTree.Element("testsuite", name=name, tests=str(len(results)))
    for done in results:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=done.line)
        case.set("time", f"{done.seconds:.3f}")
        if done.status:
            failure = ElementTree.SubElement(case, "failure", message=f"exit status {done.status}")
            failure.text = done.output
    return ElementTree.tostring(suite, encoding="unicode")


def main(arguments: Sequence[str]) -> int:
    directory, *lines = arguments
    results = [run_command(line) for line in lines]
    Path(directory).mkdir(parents=True, exist_ok=True)
    (Path(directory) / "junit.xml").write_text(render(Path(directory).name, results))
    return max(int(done.status != 0) for done in results)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
