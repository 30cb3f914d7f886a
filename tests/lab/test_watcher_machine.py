"""A watcher on a machine in trouble: the pool is right, and one ordinary monitor repairs the rest.

The watcher itself holds no lock that a cycle needs, and its bell is a pipe: there is no file of the
bell that needs room, and no use of inotify.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.lab.failing_disks import full, read_only
from tests.lab.host import VIP
from tests.lab.machine_faults import CGROUPS
from tests.lab.network import HOSTS_FILE
from tests.lab.resource import ALL, DEGRADED, EVEN, LISTED, OK, WITHOUT_NODE3, first_in_path, script
from tests.lab.watched import Watched, age_record, pass_a_minute, tidy, until, withdrawn
from tests.lab.world import World
from tests.support.paths import ROOT

RESOLVER = Path("/etc/resolv.conf")


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Iterator[Watched]:
    """Yield a resource with a watcher, not yet started; stop must leave nothing but locks."""
    resource = Watched(world.director1, tmp_path, {**LISTED, "watch": "true"})
    yield resource
    tidy(resource)


def repaired(lvs: Watched, directory: Path) -> None:
    """Assert that one ordinary monitor brings back the watcher, and the pool of all nodes."""
    lvs.cluster(*ALL)
    pass_a_minute(lvs)
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == EVEN
    lvs.await_watcher()
    until(lambda: lvs.quick(directory), "a monitor that does without crm_mon")


# --- disks


@pytest.mark.parametrize("disk", [full, read_only])
def test_a_disk_that_takes_no_files(
    lvs: Watched, disk: Callable[[Path], AbstractContextManager[None]], tmp_path: Path
) -> None:
    lvs.begin_watched()
    with disk(lvs.host.rsctmp):
        lvs.cluster(*WITHOUT_NODE3)
        assert lvs.monitor().exit_code in (OK, DEGRADED)
        assert withdrawn(lvs)
        for _ in range(3):
            assert lvs.monitor().exit_code in (OK, DEGRADED)
        assert withdrawn(lvs)
        assert len(lvs.watchers) <= 1
    repaired(lvs, tmp_path)


def test_stop_on_a_disk_that_is_read_only(lvs: Watched) -> None:
    lvs.begin_watched()
    with read_only(lvs.host.rsctmp):
        lvs.stop()
        assert lvs.processes() == []
        assert lvs.service not in lvs.host.ipvs_text()


# --- processes


@contextlib.contextmanager
def alone(pid: int) -> Iterator[None]:
    """Let the kernel refuse each fork of a process, until the end of the block."""
    CGROUPS.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "cgroup2", "none", str(CGROUPS)], check=True)
    group = CGROUPS / "lvsdr-watcher"
    try:
        (CGROUPS / "cgroup.subtree_control").write_text("+pids")
        group.mkdir()
        (group / "pids.max").write_text("1")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            (CGROUPS / "cgroup.procs").write_text(str(pid))
        group.rmdir()
        subprocess.run(["umount", str(CGROUPS)], check=True)


def test_a_watcher_that_may_not_fork(lvs: Watched) -> None:
    pid = lvs.begin_watched()
    until(lambda: not lvs.processes("reconcile"), "the end of a cycle")
    with alone(pid):
        lvs.cluster(*WITHOUT_NODE3)
        until(lambda: lvs.monitor().exit_code == OK and withdrawn(lvs), "the monitor's own cycle")
        lvs.cluster(*ALL)
    until(lambda: lvs.pool() == EVEN, "the pool to follow again")
    assert lvs.watchers == [pid]


def slow(lvs: Watched, directory: Path) -> Path:
    """Start the resource; return a file: while it exists, each cycle of the watcher is slow."""
    gate = directory / "slow"
    body = f"[ ! -e {gate} ] || sleep 4\n{lvs.crm_mon}"
    result = lvs.run("start", 60.0, PATH=first_in_path(directory / "slow-bin", "crm_mon", body))
    assert result.exit_code == OK, result
    return gate


def test_slow_cycles_are_no_reason_for_another_watcher(lvs: Watched, tmp_path: Path) -> None:
    gate = slow(lvs, tmp_path)
    pid = lvs.await_watcher()
    pass_a_minute(lvs)
    gate.touch()
    lvs.cluster(*WITHOUT_NODE3)
    for _ in range(8):
        assert lvs.monitor().exit_code == OK
        time.sleep(1)
    assert withdrawn(lvs)
    assert lvs.watchers == [pid]


def test_a_late_watcher_is_alive(lvs: Watched, tmp_path: Path) -> None:
    pid = lvs.begin_watched()
    os.kill(pid, signal.SIGSTOP)
    lvs.cluster(*WITHOUT_NODE3)
    time.sleep(3)
    os.kill(pid, signal.SIGCONT)
    until(lambda: withdrawn(lvs), "node3 to be withdrawn")
    until(lambda: lvs.quick(tmp_path), "a monitor that does without crm_mon")
    assert lvs.watchers == [pid]


def test_silent_watchers_are_replaced_once_a_minute(lvs: Watched) -> None:
    seen = {lvs.begin_watched()}
    pass_a_minute(lvs)
    for _ in range(4):
        for pid in lvs.watchers:
            os.kill(pid, signal.SIGSTOP)
        age_record(lvs)
        assert lvs.monitor().exit_code == OK
        seen.update(lvs.watchers)
    assert len(seen) == 2
    assert lvs.pool() == EVEN


# --- cycles that wait


def test_a_script_that_hangs(lvs: Watched, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    check = script(tmp_path / "check", f"[ ! -e {gate} ] || exec sleep 1000\necho t")
    lvs.parameters["realserver_check_active_real_server_script"] = check
    lvs.parameters["script_timeout"] = "2s"
    pid = lvs.begin_watched()
    gate.touch()
    lvs.cluster(*WITHOUT_NODE3)
    until(lambda: withdrawn(lvs), "node3 to be withdrawn")
    until(lambda: lvs.monitor().exit_code == DEGRADED, "the third failure of each check")
    gate.unlink()
    lvs.cluster(*ALL)
    until(lambda: lvs.monitor().exit_code == OK, "the end of the degradation")
    assert lvs.pool() == EVEN
    assert lvs.watchers == [pid]
    gate.touch()
    until(lambda: bool(lvs.processes("1000")), "the script to hang again")
    # The fixture checks that stop ends the cycle and its scripts.


@pytest.fixture
def silent_resolver(world: World) -> Iterator[Callable[[], None]]:
    """Yield a function after whose call the name server does not answer."""
    before, hosts = RESOLVER.read_text(), HOSTS_FILE.read_text()
    HOSTS_FILE.write_text(f"{hosts}{world.node3.address} reader3\n")

    def hang() -> None:
        RESOLVER.write_text(f"nameserver {world.node1.address}\noptions timeout:20 attempts:3\n")
        HOSTS_FILE.write_text(hosts)

    with world.node1.entered():
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server:
        server.bind((world.node1.address, 53))
        yield hang
        assert server.recv(512), "a query that has no answer"
    RESOLVER.write_text(before)
    HOSTS_FILE.write_text(hosts)


def test_a_resolver_that_hangs(lvs: Watched, silent_resolver: Callable[[], None]) -> None:
    lvs.parameters["weight_of_realservers"] = "node1,1 node2,1 reader3,1"
    pid = lvs.begin_watched()
    silent_resolver()
    lvs.cluster(ALL[0], ALL[1]._replace(standby=True), ALL[2])
    until(lambda: lvs.pool() in ({**EVEN, "node2": 0}, {"node1": 1, "node3": 1}), "node2 withdrawn")
    assert lvs.monitor().exit_code == DEGRADED
    assert lvs.watchers == [pid]
    HOSTS_FILE.write_text(f"{HOSTS_FILE.read_text()}10.77.0.23 reader3\n")
    lvs.cluster(*ALL)
    until(lambda: lvs.monitor().exit_code == OK, "the end of the degradation")
    assert lvs.pool() == EVEN


# --- upgrades


@pytest.fixture
def upgradable(world: World, tmp_path: Path) -> Iterator[Watched]:
    """Yield a resource whose agent is a copy of this tree's."""
    for name in ("lib", "ocf"):
        shutil.copytree(ROOT / name, tmp_path / "tree" / name)
    resource = Watched(world.director1, tmp_path, {"vip": VIP, **LISTED, "watch": "true"})
    resource.agent = tmp_path / "tree" / "ocf" / "lvsdr"
    yield resource
    tidy(resource)


def test_the_library_is_replaced(upgradable: Watched, tmp_path: Path) -> None:
    pid = upgradable.begin_watched()
    version = tmp_path / "tree" / "lib" / "lvsdr" / "__init__.py"
    text = version.read_text()
    changed = text.replace('__version__ = "', '__version__ = "99.')
    assert changed != text
    version.write_text(changed)
    upgradable.cluster(*WITHOUT_NODE3)
    pass_a_minute(upgradable)
    assert upgradable.monitor().exit_code == OK
    assert withdrawn(upgradable)
    until(lambda: upgradable.watchers not in ([], [pid]), "another watcher")
    until(lambda: upgradable.quick(tmp_path), "a monitor that does without crm_mon")


def test_the_library_is_missing_for_a_while(upgradable: Watched, tmp_path: Path) -> None:
    pid = upgradable.begin_watched()
    library, away = tmp_path / "tree" / "lib", tmp_path / "away"
    library.rename(away)
    upgradable.cluster(*WITHOUT_NODE3)
    time.sleep(3)  # cycles that fail
    assert upgradable.pool() == EVEN
    away.rename(library)
    upgradable.cluster(*WITHOUT_NODE3, ALL[0]._replace(name="node4"))
    until(lambda: withdrawn(upgradable), "node3 to be withdrawn")
    assert upgradable.monitor().exit_code == OK
    assert upgradable.watchers == [pid]
