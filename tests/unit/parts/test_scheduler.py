"""Parts that run side by side, as processes."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.parts.declaration import Part
from tests.parts.results import Result
from tests.parts.scheduler import Event, run_parts
from tests.support.paths import ROOT

PATIENCE = 20.0


def part(name: str, script: str, seconds: float = 1.0) -> Part:
    return Part(name, ("/bin/sh", "-c", script), seconds, reports=False)


def run(parts: list[Part], processors: int) -> list[Result]:
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    return run_parts(parts, processors, events)


def statuses(results: list[Result]) -> dict[str, int | None]:
    return {result.part: result.status for result in results}


def test_each_line_has_the_name_of_its_part(capfd: pytest.CaptureFixture[str]) -> None:
    run([part("a", "echo one; echo two >&2"), part("long", "printf three")], 2)
    assert sorted(capfd.readouterr().out.splitlines()) == [
        "a    | one",
        "a    | two",
        "long | three",
    ]


def test_a_part_that_fails_does_not_stop_the_others() -> None:
    parts = [part("a", "exit 3", 9), part("b", "exit 0"), part("c", "kill -TERM $$")]
    assert statuses(run(parts, 1)) == {"a": 3, "b": 0, "c": 143}


def test_nothing_starts_after_set_up_has_failed(tmp_path: Path) -> None:
    there = tmp_path / "there"
    setup = part("setup", "echo no network; exit 1")._replace(first=True)
    setup_result, other = run([setup, part("b", f"touch {there}")], 2)
    assert (setup_result.status, other) == (1, Result("b", None))
    assert setup_result.outcomes[0].text.splitlines()[0] == "no network"
    assert not there.exists()


def test_parts_run_side_by_side_where_their_weights_fit(tmp_path: Path) -> None:
    """Two parts that wait for each other can both end."""
    make = f"mkfifo {tmp_path}/f 2>/dev/null;"
    parts = [
        part("a", f"{make} echo hello >{tmp_path}/f"),
        part("b", f"{make} read word <{tmp_path}/f; test $word = hello"),
    ]
    assert statuses(run(parts, 2)) == {"a": 0, "b": 0}


def test_parts_do_not_run_side_by_side_where_their_weights_do_not_fit(tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/lock && sleep 0.1 && rmdir {tmp_path}/lock"
    parts = [part("a", script), part("b", script)]
    assert statuses(run(parts, 1)) == {"a": 0, "b": 0}


def test_processes_that_a_part_leaves_behind_are_killed(capfd: pytest.CaptureFixture[str]) -> None:
    """Processes that a part leaves behind are killed, because they would keep its output open."""
    run([part("a", "sleep 600 & echo $!")], 1)
    assert is_gone(int(capfd.readouterr().out.split("|")[1]))


PROGRAM = """
from tests.parts.declaration import Part
from tests.parts.main import run_set
script = "sleep 600 & echo $!; wait"
parts = [Part(name, ("/bin/sh", "-c", script), 1.0, 0.0, reports=False) for name in "ab"]
raise SystemExit(run_set(parts))
"""


@contextmanager
def runner() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Yield a run of two parts that sleep, and the ids of the sleeping processes."""
    with subprocess.Popen(
        [sys.executable, "-B", "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        sleepers = [int(process.stdout.readline().split("|")[1]) for _ in "ab"]
        try:
            yield process, sleepers
        finally:
            process.kill()


def is_gone(process: int) -> bool:
    """Wait until a process has ended; return False if it does not end."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_all_parts_end_with_an_interrupted_runner(number: signal.Signals) -> None:
    with runner() as (process, sleepers):
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number
        assert all(is_gone(sleeper) for sleeper in sleepers)


def test_all_parts_end_with_a_killed_runner() -> None:
    """The kernel ends the command of each part. Commands end their own (parallel_runs.py)."""
    with runner() as (process, sleepers):
        parents = [int(Path(f"/proc/{one}/stat").read_text().split()[3]) for one in sleepers]
        process.kill()
        gone = all(is_gone(parent) for parent in parents)
        for sleeper in sleepers:
            subprocess.run(["kill", str(sleeper)], check=False)
        assert gone
