"""Agents that are killed while their ipvsadm or ip runs: its late writes precede the next action.

The stand-in for the program waits before it writes, or hangs for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.lab.host import VIP
from tests.lab.operation import AgentResult
from tests.lab.realsvr_agent import RealServer, on_lo, unprepared
from tests.lab.resource import LISTED, SERVICE, Resource, first_in_path
from tests.lab.vip_agent import Address, tidy
from tests.lab.world import World
from tests.support.processes import Running
from tests.support.waiting import wait_until

OK, NOT_RUNNING = 0, 7


class Case(NamedTuple):
    """A resource of one agent."""

    program: str
    writes: str
    """The first argument of the program when it writes."""
    begin: Callable[[str, str], Running]
    """Start an action with a PATH."""
    run: Callable[[str], AgentResult]
    is_active: Callable[[], bool]


def director(world: World, directory: Path) -> Iterator[Case]:
    lvs = Resource(world.director1, directory, LISTED)
    yield Case(
        "ipvsadm",
        "-R",
        lambda action, path: lvs.begin(action, PATH=path),
        lambda action: lvs.run(action, 20.0, 5.0 if action == "monitor" else 0.0),
        lambda: SERVICE in lvs.host.ipvs_text(),
    )


def real_server(world: World, _: Path) -> Iterator[Case]:
    with unprepared([world.node1], [world.node1]):
        resource = RealServer(world.node1)
        yield Case(
            "ip",
            "-batch",
            lambda action, path: resource.begin(action, PATH=path),
            lambda action: resource.run(action, 20.0, 10.0 if action == "monitor" else 0.0),
            lambda: any(VIP in line for line in on_lo(world.node1)),
        )


def address(world: World, _: Path) -> Iterator[Case]:
    with tidy(world):
        resource = Address(world.director1, duplicate_check="false")
        yield Case(
            "ip",
            "-batch",
            lambda action, path: resource.begin(action, env={"PATH": path}),
            lambda action: resource.run(action, 10.0 if action == "monitor" else 0.0),
            lambda: bool(resource.entries()),
        )


@pytest.fixture(params=[director, real_server, address], ids=["lvsdr", "lvsdr-realsvr", "vip"])
def case(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Case]:
    yield from request.param(world, tmp_path)


def kill_at_write(case: Case, action: str, directory: Path, body: str) -> None:
    """Begin an action, and kill the agent alone as soon as its program is about to write."""
    reached = directory / "reached"
    real = f'PATH=/usr/sbin:/usr/bin:/sbin:/bin exec {case.program} "$@"'
    wait = f'case "$1" in {case.writes}) : > {reached}; {body} ;; esac'
    running = case.begin(action, first_in_path(directory / "bin", case.program, f"{wait}\n{real}"))
    wait_until(
        lambda: reached.exists() or not running.alive,
        description=f"{case.program} is called",
        pause=0.02,
    )
    assert running.alive, running.close()
    running.kill()
    running.wait()


def test_stop_removes_late_additions_of_a_killed_start(case: Case, tmp_path: Path) -> None:
    kill_at_write(case, "start", tmp_path, "sleep 3")
    result = case.run("stop")
    assert result.exit_code == OK, result
    time.sleep(4)
    assert not case.is_active()
    assert case.run("monitor").exit_code == NOT_RUNNING


def test_start_waits_for_the_writes_of_a_killed_start(case: Case, tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    kill_at_write(case, "start", tmp_path, f"sleep 3; : > {finished}")
    result = case.run("start")
    assert result.exit_code == OK, result
    assert finished.exists()
    assert "was ended" not in result.stderr
    assert case.run("monitor").exit_code == OK


@pytest.mark.parametrize("action", ["start", "stop"])
def test_a_program_that_hangs_is_ended(case: Case, action: str, tmp_path: Path) -> None:
    if action == "stop":
        assert case.run("start").exit_code == OK
    kill_at_write(case, action, tmp_path, "sleep 600; exit 1")
    results = [case.run("start"), case.run("monitor"), case.run("stop"), case.run("monitor")]
    assert [result.exit_code for result in results] == [OK, OK, OK, NOT_RUNNING], results
    assert "left running by a killed action, was ended" in results[0].stderr
    assert not case.is_active()
