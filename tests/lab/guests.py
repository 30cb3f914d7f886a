"""Run the lab's tests, all of them or those named: tests/lab/run [PYTEST ARGUMENT...]

All of them are shared by as many boots as there are processors (LAB_GUESTS=1 makes it one), because
a guest has but one; each line of output begins with the number of its boot. Named ones run in one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple
from xml.etree import ElementTree

from tests.lab.boot import interrupted, results_directory
from tests.lab.job import HERE, ROOT, say

MOST = 4  # more have not been found to be faster
OUTCOMES = {"failure": "failed", "error": "errors", "skipped": "skipped"}


class Boot(NamedTuple):
    """One of several boots that share the tests."""

    number: int
    process: subprocess.Popen[bytes]
    report: Path


def names_tests(arguments: Sequence[str]) -> bool:
    """Say whether the arguments name tests, or are options only."""
    return any(Path(argument.split("::")[0]).exists() for argument in arguments)


def command(arguments: Sequence[str], report: Path) -> list[str]:
    """Return the command line that runs these tests in the lab, or all where none is named."""
    paths = [] if names_tests(arguments) else [str(HERE)]
    pytest = [str(ROOT / ".venv/bin/python"), "-m", "pytest", "-p", "no:cacheprovider"]
    where = ["--rootdir", str(ROOT), "--junitxml", str(report)]
    return [str(HERE / "boot"), "--", *pytest, *where, *arguments, *paths]


def number_of_boots(arguments: Sequence[str]) -> int:
    """Return how many to run side by side. SystemExit if the environment says nonsense."""
    default = 1 if names_tests(arguments) else min(MOST, len(os.sched_getaffinity(0)))
    given = os.environ.get("LAB_GUESTS", str(default))
    if not given.isdigit() or not 1 <= int(given) <= 16:
        raise SystemExit(f"lab: LAB_GUESTS={given} is no number from 1 to 16")
    return int(given)


@contextlib.contextmanager
def side_by_side(count: int, arguments: Sequence[str], results: Path) -> Iterator[list[Boot]]:
    """Start the boots that share the tests; none is left afterwards, even if we are killed."""
    with contextlib.ExitStack() as left:
        shared = tempfile.mkdtemp(prefix="share-", dir=results)
        left.callback(shutil.rmtree, shared, ignore_errors=True)
        environ = {**os.environ, "LAB_SHARE": shared}
        boots = []
        for number in range(1, count + 1):
            report = results / f"junit-{number}.xml"
            report.unlink(missing_ok=True)
            mortal = ["setpriv", "--pdeathsig", "TERM", "--"]
            line = [*mortal, *command(["-v", "-p", "tests.lab.share", *arguments], report)]
            process = subprocess.Popen(
                line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            left.callback(end, process)
            boots.append(Boot(number, process, report))
        yield boots


def end(process: subprocess.Popen[bytes]) -> None:
    """End a boot that still runs; it takes its guest along."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.terminate()
        process.wait(10)
    process.kill()
    process.wait()


def relay(boot: Boot, lock: threading.Lock) -> None:
    """Copy what a boot prints, line by line, each with the boot's number in front."""
    source: IO[bytes] | None = boot.process.stdout
    assert source is not None
    for line in source:
        with lock:
            sys.stdout.buffer.write(b"%d | %s" % (boot.number, line))
            sys.stdout.buffer.flush()


def outcomes(report: Path) -> Counter[str]:
    """Count the outcomes in one of pytest's reports, and the report itself if it is none."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return Counter({"without a report": 1})
    return Counter(
        next((word for tag, word in OUTCOMES.items() if case.find(tag) is not None), "passed")
        for case in cases
    )


def summary(boots: Sequence[Boot]) -> str:
    """Say what became of the tests of all boots together."""
    total = sum((outcomes(boot.report) for boot in boots), Counter[str]())
    counts = ", ".join(f"{count} {word}" for word, count in sorted(total.items()))
    return f"{counts} in {len(boots)} boots"


def shared_run(count: int, arguments: Sequence[str]) -> int:
    """Run the tests in so many boots and return the worst of their exit statuses."""
    with side_by_side(count, arguments, results_directory()) as boots:
        lock = threading.Lock()
        relays = [threading.Thread(target=relay, args=(boot, lock)) for boot in boots]
        for thread in relays:
            thread.start()
        for thread in relays:
            thread.join()
        status = max(boot.process.wait() for boot in boots)
    say(summary(boots))
    return status


def main(arguments: Sequence[str]) -> int:
    os.environ["PYTHONUNBUFFERED"] = "1"
    count = number_of_boots(arguments)
    if count == 1:
        line = command(arguments, results_directory() / "junit.xml")
        os.execv(line[0], line)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupted)
    return shared_run(count, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
