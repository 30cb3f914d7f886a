"""Concurrent actions, and actions that are killed before they end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.lab.resource import (
    DEGRADED,
    EVEN,
    FAILED,
    LISTED,
    NEIGHBOURS,
    NOT_RUNNING,
    OK,
    SERVICE,
    WITHOUT_NODE3,
    Resource,
    one_on_each,
    other_lines,
    weights,
)
from tests.lab.world import World
from tests.support.processes import Running


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Resource:
    """Return the documented configuration, not yet started."""
    return Resource(world.director1, tmp_path)


def test_actions_at_the_same_time(world: World, lvs: Resource) -> None:
    lvs.host.restore_ipvs(NEIGHBOURS)
    neighbours = other_lines(lvs.host.ipvs_text(), SERVICE)
    lvs.start()
    sessions = one_on_each(world.client)
    lvs.host.restore_ipvs(f"-d {SERVICE} -r 10.77.0.22:5432\n-E {SERVICE} -s sed\n")
    actions = [("monitor", 5.0), ("start", 0.0), ("monitor", 5.0), ("reload-agent", 0.0)]
    running = [lvs.begin(action, 60.0, interval) for action, interval in actions]
    codes = {each.wait(120).returncode for each in running}
    assert codes <= {OK, DEGRADED}
    assert (lvs.header, lvs.pool()) == (f"-A {SERVICE} -s rr", EVEN)
    assert other_lines(lvs.host.ipvs_text(), SERVICE) == neighbours
    assert all(sessions[host].alive for host in ("node1", "node3"))


def test_one_action_at_a_time(lvs: Resource) -> None:
    lvs.start()
    lvs.cluster(*WITHOUT_NODE3)
    (lock,) = lvs.host.rsctmp.glob("*-lvs.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = lvs.monitor(timeout=3.0)
        assert (result.exit_code, "still running" in result.reason) == (DEGRADED, True), result
        assert lvs.pool() == EVEN
        waiting = lvs.begin("monitor", interval=5.0)
        time.sleep(2)
        assert waiting.alive
    assert waiting.wait().returncode == OK
    assert lvs.pool() == {**EVEN, "node3": 0}


@pytest.mark.parametrize(("action", "code"), [("monitor", NOT_RUNNING), ("reload-agent", FAILED)])
def test_a_delayed_action_does_not_restore_a_stopped_service(
    lvs: Resource, action: str, code: int
) -> None:
    lvs.start()
    (lock,) = lvs.host.rsctmp.glob("*-lvs.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = lvs.begin(action, interval=5.0)
        time.sleep(2)
        assert waiting.alive
        lvs.host.restore_ipvs(f"-D {SERVICE}\n")
    assert waiting.wait().returncode == code
    assert SERVICE not in lvs.host.ipvs_text()


def test_starts_of_several_resources_at_the_same_time(world: World, tmp_path: Path) -> None:
    resources = [
        Resource(world.director1, tmp_path, {**LISTED, "port": 5432 + i}, instance=f"lvs{i}")
        for i in range(3)
    ]
    running = [resource.begin("start", 60.0) for resource in resources]
    assert {each.wait(120).returncode for each in running} == {OK}
    assert [resource.pool() for resource in resources] == [EVEN] * 3
    running = [resource.begin("stop", 60.0) for resource in resources]
    assert {each.wait(120).returncode for each in running} == {OK}
    assert world.director1.ipvs_text() == ""
    assert world.director1.sysctl("net/ipv4/vs/expire_nodest_conn") == "0"


# --- killed


def big_pool(first: int, weight: int) -> dict[str, int]:
    """Return sixty of the hundred real servers, with this weight."""
    return {f"10.99.{i // 50}.{i % 50 + 1}": weight for i in range(first, first + 60)}


def listed(pool: dict[str, int]) -> str:
    return " ".join(f"{address},{weight}" for address, weight in pool.items())


def session_of(leader: Running) -> list[int]:
    """Return the processes of the session of `leader`: its children have their own groups."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            session = path.read_text().rpartition(")")[2].split()[3]
            if int(session) == leader.pid:
                found.append(int(path.parent.name))
    return found


def kill(running: Running, *, with_children: bool) -> None:
    """Kill an agent, with or without its children, and wait until all of them are gone."""
    running.kill(signal.SIGSTOP)
    children = session_of(running)
    running.close()
    for child in children if with_children else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while session_of(running) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_killed_in_the_middle_of_a_change(lvs: Resource) -> None:
    """A killed change is safe for clients and neighbours, and the next monitor completes it."""
    seed = int(os.environ.get("LAB_SEED") or random.randrange(10**6))
    print(f"LAB_SEED={seed}")
    moments = random.Random(seed)
    pools = (big_pool(0, 1), big_pool(30, 2))
    lvs.host.restore_ipvs(NEIGHBOURS)
    neighbours = other_lines(lvs.host.ipvs_text(), SERVICE)
    lvs.parameters = {**LISTED, "drain_timeout": "0", "weight_of_realservers": listed(pools[0])}
    lvs.start()
    halves = turn = 0
    # On a fast kernel a batch is over soon, so more turns run until a kill has hit a batch.
    while turn < 7 or (not halves and turn < 60):
        turn += 1
        before = lvs.host.proc_ipvs()
        lvs.parameters["weight_of_realservers"] = listed(pools[turn % 2])
        running = lvs.begin("monitor", interval=5.0)
        if turn % 2:
            time.sleep(moments.uniform(0.0, 1.0))
        else:
            while running.alive and lvs.host.proc_ipvs() == before:
                time.sleep(0.001)
        kill(running, with_children=moments.random() < 0.7)
        table = lvs.host.ipvs_text()
        left = weights(table, SERVICE)
        halves += left not in pools
        assert sum(left.values()) > 0
        assert set(left) <= {*pools[0], *pools[1]}
        assert other_lines(table, SERVICE) == neighbours
        assert lvs.monitor().exit_code == OK
        assert lvs.pool() == pools[turn % 2]
    assert halves > 0, "no kill hit a batch"
