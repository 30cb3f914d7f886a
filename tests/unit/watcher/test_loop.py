"""The loop of the watcher, in a process of its own, with shell scripts as cycles."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lvsdr.watcher import quick
from lvsdr.watcher.facts import digest_parameters

from tests.support.resident import Resident, await_rings, begin_ringing, used
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # most of these tests wait for a program

NOTE = "echo cycle >> cycles"


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill the watcher at the end, with all of its session."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def allow_descriptors(pid: int, number: int) -> None:
    """Let a process open descriptors below the number."""
    subprocess.run(["prlimit", f"--pid={pid}", f"--nofile={number}:"], check=True)


def cycles(resident: Resident) -> int:
    path = resident.directory / "cycles"
    return len(path.read_text().splitlines()) if path.exists() else 0


def await_cycles(resident: Resident, number: int) -> None:
    wait_until(lambda: cycles(resident), number.__le__, f"{number} cycles")


def members(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if os.getsid(int(entry.name)) == session:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def test_it_begins_with_a_cycle_and_follows_each_change(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()):
        await_cycles(resident, 1)
        before = cycles(resident)
        resident.ring("node1 offline")
        await_cycles(resident, before + 1 + 3)  # one at once, and three echoes


def test_it_answers_with_the_digest_of_its_parameters(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()):
        line = quick.format_line(digest_parameters({}, ("vip",)))
        wait_until(resident.answer, line.__eq__, "the answer")


@pytest.mark.parametrize("lost", ["cycle", "record"])
def test_it_ends_without_its_files(tmp_path: Path, lost: str) -> None:
    resident = Resident(tmp_path, "sleep 600")
    with ended(resident.begin()) as process:
        wait_until(resident.answer, bool, "the answer")
        Path(getattr(resident.files, lost)).unlink()
        process.wait(20)
        wait_until(lambda: members(process.pid), [].__eq__, "the end of its session")


def test_another_watcher_takes_over(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()) as first:
        wait_until(resident.answer, bool, "the answer")
        with ended(resident.begin()) as second:
            first.wait(20)
            wait_until(resident.answer, bool, "the answer of the other one")
            assert second.poll() is None


def test_a_watcher_that_is_not_recorded_ends(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()) as first:
        wait_until(resident.answer, bool, "the answer")
        with ended(resident.begin(recorded=False)) as second:
            assert second.wait(20) == 0
        assert first.poll() is None
        assert resident.answer()


def test_it_ends_when_the_service_is_gone(tmp_path: Path) -> None:
    resident = Resident(tmp_path, "exit 7")
    with ended(resident.begin()) as process:
        process.wait(20)
    left = {path.name for path in tmp_path.iterdir()} - {"fifo", "crm_mon"}
    assert left == {"lvsdr-lvs.cycle", "lvsdr-lvs.watcher-lock"}


def test_a_cycle_that_hangs_is_ended_and_another_one_begins(tmp_path: Path) -> None:
    resident = Resident(tmp_path, f"{NOTE}; trap '' TERM; while :; do sleep 1; done")
    resident.store(timeout="100")
    with ended(resident.begin()):
        await_cycles(resident, 1)
        resident.ring("node1 offline")  # a change during it
        await_cycles(resident, 2)


def test_a_cycle_with_much_output_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    resident = Resident(tmp_path, f"yes | head -c 999999; yes | head -c 999999 >&2; {NOTE}")
    with ended(resident.begin()):
        await_cycles(resident, 1)


def test_a_cycle_that_cannot_begin_is_tried_again_soon(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()) as process:
        await_cycles(resident, 1)
        allow_descriptors(process.pid, 4)
        before = used(process.pid)
        resident.ring("node1 offline")
        wait_until(lambda: resident.answer() == "", bool, "no descriptor for an answer")
        allow_descriptors(process.pid, 100)
        seen = cycles(resident)
        await_cycles(resident, seen + 1)
        wait_until(lambda: used(process.pid).descriptors, before.descriptors.__ge__, "no leak")


def test_a_due_cycle_begins_without_a_change(tmp_path: Path) -> None:
    resident = Resident(tmp_path, NOTE)
    resident.store(due=0.0)
    with ended(resident.begin()):
        await_cycles(resident, 4)


def test_it_imports_everything_before_its_loop(tmp_path: Path) -> None:
    """The library may be replaced under it."""
    resident = Resident(tmp_path, NOTE)
    with ended(resident.begin()) as process:
        await_cycles(resident, 1)
        assert resident.answer()
        os.unlink(resident.files.record)
        assert process.communicate(timeout=20)[0].split() == []


def test_memory_and_descriptors_stay_the_same(tmp_path: Path) -> None:
    resident, process = begin_ringing(tmp_path)
    with ended(process):
        await_rings(resident, 200, 60.0)
        before = used(process.pid)
        await_rings(resident, 600, 120.0)
        os.kill(process.pid, signal.SIGSTOP)
        after = used(process.pid)
        assert after.kib - before.kib < 256
        # A cycle that begins has some for a moment; 400 rings would leak hundreds.
        assert abs(after.descriptors - before.descriptors) < 20
