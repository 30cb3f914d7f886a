"""Processes that another run finds by id and start time."""

from __future__ import annotations

import os
import subprocess

import pytest
from lvsdr.system.process.identity import (
    Process,
    find_own_process,
    is_running,
    kill,
    read_start_time,
)


def test_this_process_runs() -> None:
    assert find_own_process().pid == os.getpid()
    assert is_running(find_own_process())


def test_a_process_is_killed_only_with_its_own_start_time() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        started = read_start_time(child.pid)
        assert started is not None
        assert not kill(Process(child.pid, started + 1))
        assert child.poll() is None
        assert kill(Process(child.pid, started))
        child.wait()
        assert not kill(Process(child.pid, started))


@pytest.mark.parametrize("pid", [1 << 22, 4194305])
def test_a_process_that_never_was_is_not_killed(pid: int) -> None:
    assert read_start_time(pid) is None
    assert not kill(Process(pid, 1))
