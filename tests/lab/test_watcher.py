"""The watcher beside a service: the pool follows at once, and no failure of it harms the pool."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.resource import (
    ALL,
    EVEN,
    LISTED,
    NOT_RUNNING,
    OK,
    WITHOUT_NODE3,
)
from tests.lab.watched import DELETED, DRAINED, Watched, pass_a_minute, until
from tests.lab.world import World


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Watched:
    """Return a resource with a static list and a watcher, not yet started."""
    return Watched(world.director1, tmp_path, {**LISTED, "watch": "true"})


def test_the_pool_follows_without_a_monitor(lvs: Watched, tmp_path: Path) -> None:
    lvs.begin_watched()
    assert lvs.pool() == EVEN
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: lvs.pool() in (DRAINED, DELETED), "node3 to be withdrawn")
    lvs.cluster(*ALL)
    until(lambda: lvs.pool() == EVEN, "node3 to return")
    assert lvs.monitor().exit_code == OK
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")


def test_stop_leaves_nothing_behind(lvs: Watched) -> None:
    lvs.begin_watched()
    lvs.stop()
    assert lvs.processes() == []
    left = {path.name for path in lvs.host.rsctmp.iterdir()}
    assert all(name.endswith("lock") for name in left), left
    assert lvs.monitor().exit_code == NOT_RUNNING


def test_without_watch_nothing_goes_on(lvs: Watched) -> None:
    lvs.parameters["watch"] = "false"
    lvs.start()
    assert lvs.monitor().exit_code == OK
    assert lvs.processes() == []


def test_a_reload_switches_it(lvs: Watched) -> None:
    lvs.begin_watched()
    lvs.reload(watch="false")
    until(lambda: lvs.watchers == [], "the watcher to end")
    lvs.reload(watch="true")
    lvs.await_watcher()


def kill(lvs: Watched, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in lvs.watchers, "the watcher to be gone")


def stop_for_good(_: Watched, pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def remove_socket(lvs: Watched, _: int) -> None:
    lvs.socket.unlink()


def take_socket(lvs: Watched, _: int) -> None:
    path = lvs.socket
    path.unlink()
    impostor = socket.socket(socket.AF_UNIX)
    impostor.bind(str(path))
    impostor.listen()
    IMPOSTORS.append(impostor)


def age_version(lvs: Watched, _: int) -> None:
    (path,) = lvs.host.rsctmp.glob("*.cycle")
    lines = path.read_text().splitlines()
    path.write_text("\n".join("version 0.0" if "version " in it else it for it in lines) + "\n")


IMPOSTORS: list[socket.socket] = []
FAULTS = [kill, stop_for_good, remove_socket, take_socket, age_version]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_ordinary_monitor_repairs(
    lvs: Watched, fault: Callable[[Watched, int], None], tmp_path: Path
) -> None:
    pid = lvs.begin_watched()
    pass_a_minute(lvs)
    fault(lvs, pid)
    lvs.cluster(*WITHOUT_NODE3)
    assert lvs.monitor().exit_code == OK
    until(lambda: lvs.pool() in (DRAINED, DELETED), "node3 to be withdrawn")
    until(lambda: lvs.watchers not in ([], [pid]), "another watcher")
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    lvs.stop()
    assert lvs.processes() == []
    for impostor in IMPOSTORS:
        impostor.close()


def test_watchers_are_not_started_in_each_monitor(lvs: Watched) -> None:
    pid = lvs.begin_watched()
    kill(lvs, pid)
    for _ in range(3):
        assert lvs.monitor().exit_code == OK
    assert lvs.watchers == []


def test_a_change_by_hand_is_repaired_by_the_next_monitor(lvs: Watched) -> None:
    lvs.begin_watched()
    lvs.host.run(["ipvsadm", "-d", *lvs.service.split(), "-r", "10.77.0.21:5432"])
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == EVEN


def test_a_service_that_was_deleted_ends_its_watcher(lvs: Watched) -> None:
    lvs.begin_watched()
    lvs.host.run(["ipvsadm", "-D", *lvs.service.split()])
    assert lvs.monitor().exit_code == NOT_RUNNING
    until(lambda: lvs.watchers == [], "the watcher to end")
    assert lvs.service not in lvs.host.ipvs_text()


def test_two_started_at_once(lvs: Watched) -> None:
    pid = lvs.begin_watched()
    for running in [lvs.begin("watch") for _ in range(3)]:
        running.wait()
    assert lvs.watchers == [pid]


def test_one_of_two_resources_stops(world: World, lvs: Watched, tmp_path: Path) -> None:
    lvs.begin_watched()
    second = Watched(world.director1, tmp_path, {**lvs.parameters, "port": 5433}, "second")
    second.start()
    until(lambda: len(second.watchers) == 1, "the second watcher")
    second.stop()
    assert second.processes() == []
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: lvs.pool() in (DRAINED, DELETED), "node3 to be withdrawn")
