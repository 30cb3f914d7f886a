"""Programs that outlive their agent with its lock: they finish, or are ended, and no others are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.errors import Busy
from lvsdr.system import locking
from lvsdr.system.process.orphans import end_orphans
from lvsdr.system.process.spawn import AGENT_OF_WRITER
from lvsdr.values.deadline import Deadline

from tests.project.tree import LIB

pytestmark = pytest.mark.slow  # most of these tests wait

# An agent that holds the lock and waits for a program; it prints the program's process id.
AGENT = """\
import sys, time
sys.path.insert(0, {lib!r})
from lvsdr.values.deadline import Deadline
from lvsdr.system import locking
from lvsdr.system.process.spawn import spawn
with locking.locked({path!r}, Deadline.after(10)):
    child = spawn(("sh", "-c", {script!r}), keep=locking.list_held())
    print(child.pid, flush=True)
    time.sleep(600)
"""


class Agent:
    """An agent with a running program; `writer` is the program's process id."""

    def __init__(self, path: str, script: str) -> None:
        code = AGENT.format(lib=str(LIB), path=path, script=script)
        argv = [sys.executable, "-c", code]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.writer = int(self.process.stdout.readline())

    def await_child(self) -> None:
        """Wait until the program has started its child."""
        children = Path(f"/proc/{self.writer}/task/{self.writer}/children")
        end = time.monotonic() + 20
        while not children.read_text():
            assert time.monotonic() < end, "the program starts no child"
            time.sleep(0.01)

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        """Kill the agent and its program."""
        self.kill()
        self.process.communicate()
        if runs(self.writer):
            os.killpg(self.writer, signal.SIGKILL)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lvsdr-test.lock")


@pytest.fixture
def agent(path: str) -> Iterator[Agent]:
    """Yield an agent with a program that hangs and has a child that hangs."""
    agent = Agent(path, "sleep 600; :")
    agent.await_child()
    yield agent
    agent.close()


def runs(pid: int) -> bool:
    """Return whether a process exists that has not ended."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_program_that_hangs_is_ended_after_half_of_the_time(path: str, agent: Agent) -> None:
    agent.kill()
    told: list[str] = []
    begun = time.monotonic()
    with locking.locked(path, Deadline.after(6), tell=told.append):
        assert 3 <= time.monotonic() - begun < 6
        assert not runs(agent.writer)
    assert f"process {agent.writer}, left running by a killed action, was ended" in told
    assert len(told) == 2


def test_a_program_that_ends_in_time_is_waited_for(tmp_path: Path, path: str) -> None:
    file = tmp_path / "done"
    agent = Agent(path, f"sleep 2; : >{file}")
    agent.kill()
    told: list[str] = []
    with locking.locked(path, Deadline.after(60), tell=told.append):
        assert file.exists()
    assert told == []
    agent.close()


def test_the_program_of_an_agent_that_lives_is_left_alone(path: str, agent: Agent) -> None:
    with pytest.raises(Busy), locking.locked(path, Deadline.after(2.5)):
        pass
    assert runs(agent.writer)


def test_an_agent_that_waits_ends_none_of_an_agent_that_lives(path: str, agent: Agent) -> None:
    """A waiting agent ends no program of an agent that lives.

    Both agents have the file open; only the holder of the lock counts.
    """
    with open(path) as file:
        assert end_orphans(file.fileno()) == []
        agent.kill()
        agent.process.wait()
        assert len(end_orphans(file.fileno())) == 2


def test_an_agent_that_is_a_zombie_has_ended(path: str, agent: Agent) -> None:
    agent.kill()
    os.waitid(os.P_PID, agent.process.pid, os.WEXITED | os.WNOWAIT)
    with open(path) as file:
        assert len(end_orphans(file.fileno())) == 2


def test_the_lock_of_another_resource_is_no_reason(tmp_path: Path, agent: Agent) -> None:
    agent.kill()
    with (tmp_path / "other.lock").open("w") as file:
        assert end_orphans(file.fileno()) == []
    assert runs(agent.writer)


def test_an_administrator_that_holds_the_lock_is_left_alone(path: str) -> None:
    """A lock holder that no agent started is left alone.

    An administrator may run `flock FILE COMMAND`, or a shell that inherited a descriptor.
    """
    with locking.locked(path, Deadline.after(1)):
        keep = locking.list_held()
        other = subprocess.Popen(["sleep", "600"], pass_fds=keep)
    with pytest.raises(Busy), locking.locked(path, Deadline.after(2.5)):
        pass
    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize("value", ["", "x", "-1"])
def test_a_variable_without_a_number_names_no_agent(path: str, value: str) -> None:
    with locking.locked(path, Deadline.after(1)):
        environment = {**os.environ, AGENT_OF_WRITER: value}
        other = subprocess.Popen(["sleep", "600"], pass_fds=locking.list_held(), env=environment)
    with open(path) as file:
        assert end_orphans(file.fileno()) == []
    other.kill()
    other.wait()
