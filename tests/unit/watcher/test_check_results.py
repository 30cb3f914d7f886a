"""The health checks in the loop of the watcher: real listeners, a shell script as the cycle."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lvsdr.pool.check_history import CheckState, parse_board
from lvsdr.watcher.check_results import load_results
from lvsdr.watcher.last_cycle import CheckTarget

from tests.support.listeners import Listeners, listening
from tests.support.resident import Checks, Resident, used
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow  # most of these tests wait for a program

NOTE = "echo cycle >> cycles"
TARGETS = tuple(CheckTarget(f"node{n}", f"127.0.0.{n}", False) for n in (1, 2, 3))


@pytest.fixture
def servers() -> Iterator[Listeners]:
    with listening({target.host: target.address for target in TARGETS}) as listeners:
        yield listeners


@contextmanager
def running(resident: Resident) -> Iterator[subprocess.Popen[str]]:
    """Run the watcher; kill it at the end."""
    with resident.begin() as process:
        try:
            yield process
        finally:
            process.kill()


def board(resident: Resident, servers: Listeners) -> dict[str, CheckState]:
    return parse_board(load_results(resident.files.checks), f"tcp {servers.port}")


def successes(resident: Resident, servers: Listeners) -> dict[str, int]:
    return {host: state.successes for host, state in board(resident, servers).items()}


def failures(resident: Resident, servers: Listeners, host: str) -> int:
    state = board(resident, servers).get(host)
    return 0 if state is None else state.failures


def cycles(resident: Resident) -> int:
    path = resident.directory / "cycles"
    return len(path.read_text().splitlines()) if path.exists() else 0


def await_successes(resident: Resident, servers: Listeners, *hosts: str, number: int = 3) -> None:
    def are_enough(found: dict[str, int]) -> bool:
        return set(found) == set(hosts) and all(count >= number for count in found.values())

    wait_until(lambda: successes(resident, servers), are_enough, "successes of each host")


def test_the_results_are_stored_and_a_change_has_a_cycle_run(
    tmp_path: Path, servers: Listeners
) -> None:
    resident = Resident(tmp_path, NOTE, checks=Checks(servers.port, TARGETS))
    with running(resident):
        await_successes(resident, servers, "node1", "node2", "node3")
        assert cycles(resident) == 1  # that at the begin of the watcher
        servers.stop("node2")
        wait_until(lambda: cycles(resident), (2).__eq__, "a cycle")
        assert board(resident, servers)["node2"].failures >= 3
        servers.start("node2")
        wait_until(lambda: cycles(resident), (2).__lt__, "a cycle")
        await_successes(resident, servers, "node1", "node2", "node3")
    assert Path(resident.files.checks).stat().st_mode & 0o777 == 0o600


def test_each_cycle_chooses_the_hosts(tmp_path: Path, servers: Listeners) -> None:
    resident = Resident(tmp_path, NOTE, checks=Checks(servers.port, TARGETS[:1]))
    with running(resident):
        await_successes(resident, servers, "node1")
        resident.targets = TARGETS[1:]
        resident.store()
        resident.ring("node1 offline")
        await_successes(resident, servers, "node2", "node3")


def test_the_counts_of_an_earlier_watcher_go_on(tmp_path: Path, servers: Listeners) -> None:
    resident = Resident(tmp_path, NOTE, checks=Checks(servers.port, TARGETS))
    servers.stop("node2")
    with running(resident):
        wait_until(lambda: failures(resident, servers, "node2"), (5).__le__, "5 failures")
    before = board(resident, servers)["node2"]
    with running(resident):
        more = before.failures.__lt__
        wait_until(lambda: failures(resident, servers, "node2"), more, "another failure")
    assert board(resident, servers)["node2"].failed_at == before.failed_at


def test_it_imports_everything_before_its_loop(tmp_path: Path, servers: Listeners) -> None:
    resident = Resident(tmp_path, NOTE, checks=Checks(servers.port, TARGETS))
    with running(resident) as process:
        await_successes(resident, servers, "node1", "node2", "node3")
        os.unlink(resident.files.record)
        assert process.communicate(timeout=20)[0].split() == []


def test_memory_and_descriptors_stay_the_same(tmp_path: Path, servers: Listeners) -> None:
    """A refusing server is among them, so that successes and failures are counted."""
    resident = Resident(tmp_path, NOTE, checks=Checks(servers.port, TARGETS, interval=0.002))
    servers.stop("node3")
    with running(resident) as process:
        wait_until(lambda: failures(resident, servers, "node3"), (500).__le__, "500 failures")
        before = used(process.pid)
        enough = (3000).__le__
        wait_until(lambda: failures(resident, servers, "node3"), enough, "3000 failures", 120.0)
        os.kill(process.pid, signal.SIGSTOP)
        after = used(process.pid)
    assert after.kib - before.kib < 256
    assert abs(after.descriptors - before.descriptors) <= 5  # those of a cycle and of checks
