"""Failures of the watcher, its cycles and its files: the pool is right, and a monitor repairs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.resource import ALL, DEGRADED, EVEN, LISTED, OK, WITHOUT_NODE3, first_in_path
from tests.lab.watched import Watched, pass_a_minute, tidy, until, withdrawn
from tests.lab.world import World


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Iterator[Watched]:
    """Yield a resource with a watcher, not yet started; stop must leave nothing but locks."""
    resource = Watched(world.director1, tmp_path, {**LISTED, "watch": "true"})
    yield resource
    tidy(resource)


def hang(lvs: Watched, directory: Path, program: str, condition: str) -> Path:
    """Return a file: while it exists, the program hangs in cycles of the watcher."""
    gate = directory / f"hang-{program}"
    real = (
        f'[ ! -e {gate} ] || {condition} || sleep 1000\nPATH=/usr/sbin:/usr/bin exec {program} "$@"'
    )
    path = first_in_path(directory / f"hanging-{program}", program, real)
    result = lvs.run("start", 60.0, PATH=path)
    assert result.exit_code == OK, result
    lvs.await_watcher()
    return gate


def test_a_watcher_killed_in_the_middle_of_a_batch(lvs: Watched, tmp_path: Path) -> None:
    gate = hang(lvs, tmp_path, "ipvsadm", '[ "$1" != -R ]')
    gate.touch()
    pid = lvs.watchers[0]
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: bool(lvs.processes("-R")), "the batch")
    os.kill(pid, signal.SIGKILL)
    until(lambda: lvs.watchers == [], "the watcher to end")
    assert lvs.pool() == EVEN
    gate.unlink()
    assert lvs.monitor().exit_code == OK
    assert withdrawn(lvs)


def test_a_stopped_cycle_with_the_lock_and_its_watcher(lvs: Watched, tmp_path: Path) -> None:
    gate = hang(lvs, tmp_path, "ipvsadm", '[ "$1" != -R ]')
    gate.touch()
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: bool(lvs.processes("-R")), "the batch")
    for pid in (*lvs.watchers, *lvs.processes("reconcile")):
        os.kill(pid, signal.SIGSTOP)
    pass_a_minute(lvs)
    assert lvs.monitor().exit_code == OK
    assert withdrawn(lvs)
    lvs.await_watcher()  # one that the next line started would use its PATH
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")


def test_stop_ends_a_cycle_that_hangs(lvs: Watched, tmp_path: Path) -> None:
    gate = hang(lvs, tmp_path, "crm_mon", "false")
    gate.touch()
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: bool(lvs.processes("1000")), "crm_mon to hang")
    # The fixture checks that stop ends the cycle and its programs.


def test_a_torn_cib_leaves_the_pool(lvs: Watched) -> None:
    lvs.begin_watched()
    whole = lvs.cib.read_text()
    for text in (whole[:4], ""):  # libxml2 would repair a longer one
        lvs.cib.write_text(text)
        time.sleep(0.3)
        assert lvs.pool() == EVEN
        until(lambda: lvs.monitor().exit_code == DEGRADED, "the degradation")
    lvs.cib.unlink()
    time.sleep(0.3)
    assert lvs.pool() == EVEN
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(lvs), "node3 to be withdrawn")


def test_a_wrong_value_of_watch(lvs: Watched) -> None:
    lvs.begin_watched()
    lvs.parameters["watch"] = "maybe"
    result = lvs.monitor()
    assert result.exit_code == DEGRADED
    assert "watch=maybe" in str(result)
    assert lvs.pool() == EVEN
    until(lambda: lvs.watchers == [], "the watcher to end")


def test_a_log_that_no_process_reads(lvs: Watched, tmp_path: Path) -> None:
    fifo = tmp_path / "log"
    os.mkfifo(fifo)
    assert lvs.run("start", 60.0, HA_LOGFILE=str(fifo)).exit_code == OK
    lvs.await_watcher()
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(lvs), "node3 to be withdrawn")
    assert lvs.monitor(HA_LOGFILE=str(fifo)).exit_code == OK


def test_memory_and_descriptors_stay_the_same(lvs: Watched) -> None:
    pid = lvs.begin_watched()
    text = lvs.cib.read_text()
    figures = []
    for turn in range(120):
        lvs.cib.write_text(f"{text}<!-- {turn} -->\n")
        time.sleep(0.1)
        if turn >= 20:
            figures.append(used(pid))
    assert lvs.watchers == [pid]
    memory, descriptors = zip(*figures)
    assert memory[-1] - memory[0] < 512
    assert max(descriptors) <= min(descriptors) + 8  # those of one running cycle


def used(pid: int) -> tuple[int, int]:
    """Return the resident memory in KiB, and the number of descriptors, of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]), len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_degraded_result_is_reported_by_each_monitor_and_logged_once(
    lvs: Watched, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    lvs.parameters["on_empty"] = "keep"
    assert lvs.run("start", 60.0, HA_LOGFILE=str(log)).exit_code == OK
    lvs.await_watcher()
    lvs.cluster(*(node._replace(standby=True) for node in ALL))
    until(lambda: lvs.monitor(HA_LOGFILE=str(log)).exit_code == DEGRADED, "the degradation")
    results = [lvs.monitor(HA_LOGFILE=str(log)) for _ in range(3)]
    assert {result.exit_code for result in results} == {DEGRADED}
    assert len({str(result.reason) for result in results}) == 1
    begins = [line for line in log.read_text().splitlines() if "WARNING" in line]
    assert len(begins) == len({line.partition("WARNING")[2] for line in begins}) > 0
    lvs.cluster(*ALL)
    until(lambda: lvs.monitor(HA_LOGFILE=str(log)).exit_code == OK, "the end of it")
    assert log.read_text().count("well again") == 1


def test_each_monitor_writes_the_heartbeat(lvs: Watched, tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    lvs.parameters["heartbeat_file"] = str(beat)
    lvs.begin_watched()
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    beat.write_text("")
    assert lvs.quick(tmp_path)
    assert beat.read_text().strip().isdecimal()
