"""Start and end of watchers: each is recorded from its first moment on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.system.process import identity
from lvsdr.watcher import control
from lvsdr.watcher.facts import Paths

from tests.support.paths import ROOT
from tests.support.waiting import wait_until

AGENT = """
import sys, time
sys.path.insert(0, {lib!r})
from lvsdr.watcher import control
from lvsdr.watcher.facts import Paths
if sys.argv[1] == "watch":
    time.sleep(600)
getattr(control, sys.argv[1])(Paths({directory!r}, "lvs"))
"""


class Agent:
    """An agent whose watcher only waits."""

    def __init__(self, directory: Path) -> None:
        self.files = Paths(str(directory), "lvs")
        self._script = directory / "agent"
        self._script.write_text(AGENT.format(lib=str(ROOT / "lib"), directory=str(directory)))

    def run(self, action: str) -> int:
        """Run an action; return the exit code."""
        return subprocess.run([sys.executable, self._script, action], check=False).returncode

    @property
    def watchers(self) -> list[int]:
        """Return the processes of watchers."""
        words = [os.fsencode(self._script), b"watch"]
        found = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if entry.name.isdecimal() and line[-3:-1] == words:
                found.append(int(entry.name))
        return found


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    made = Agent(tmp_path)
    yield made
    made.run("end")
    assert made.watchers == []


def test_a_watcher_is_recorded_at_once_and_leads_a_session(agent: Agent) -> None:
    assert agent.run("begin") == 0
    record = control.read_record(agent.files.record)
    assert record is not None
    assert identity.is_running(record.process)
    assert os.getsid(record.process.pid) == record.process.pid
    wait_until(lambda: agent.watchers, [record.process.pid].__eq__, "its program")


def test_another_one_replaces_it(agent: Agent) -> None:
    assert agent.run("begin") == 0
    first = control.read_record(agent.files.record)
    assert agent.run("begin") == 0
    second = control.read_record(agent.files.record)
    assert first is not None
    assert second is not None
    assert first != second
    assert not identity.is_running(first.process)
    wait_until(lambda: agent.watchers, [second.process.pid].__eq__, "its program")


def test_one_that_cannot_be_recorded_is_ended(agent: Agent) -> None:
    os.mkdir(agent.files.record)
    assert agent.run("begin") == 1
    os.rmdir(agent.files.record)
    wait_until(lambda: agent.watchers, [].__eq__, "its end")


def test_a_monitor_may_start_one_after_a_minute(agent: Agent) -> None:
    assert control.may_begin_again(agent.files)
    assert agent.run("begin") == 0
    assert not control.may_begin_again(agent.files)
    os.utime(agent.files.lock, (0, 0))
    assert control.may_begin_again(agent.files)


def test_the_end_removes_record_and_socket(agent: Agent) -> None:
    assert agent.run("begin") == 0
    Path(agent.files.socket).touch()
    assert agent.run("end") == 0
    assert not os.path.exists(agent.files.record)
    assert not os.path.exists(agent.files.socket)
