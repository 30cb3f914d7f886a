"""The shell on the cluster: every command that its greetings suggest works as printed.

The first test configures the cluster for the drills, which are collected after these.
"""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.cluster.addresses import READ_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.drill import recover
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.observed_state import directors, pool, primary, serving, standbys
from tests.cluster.remote_commands import Request, command_line, serve_remote_commands
from tests.cluster.shell import (
    DEFAULT,
    READ,
    WRITE,
    first_suggestions,
    greeting,
    spare,
    suggestions,
)
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.support.processes import Completed, Running
from tests.support.waiting import wait_until

TOGETHER = "drills"  # see tests/support/shared_tests.py
MINUTES = 2
END = 60.0  # seconds for the answer to typed text


@pytest.fixture
def served(replicated: Cluster) -> Iterator[Cluster]:
    """Yield the cluster when it is whole, with `on` working."""
    recover(replicated)
    with serve_remote_commands(replicated):
        yield replicated


def type_lines(cluster: Cluster, machine: str, *lines: str) -> Completed:
    """Type lines into a shell on a machine, which ends at the first that fails."""
    argv = command_line(cluster, Request(machine, [], terminal=False, kind="dumb"))
    return Running(argv, "\n".join(["set -e", *lines, ""])).wait(PATIENCE)


def answers(cluster: Cluster, line: str) -> str:
    """Return the value that psql shows under its heading."""
    completed = type_lines(cluster, directors(cluster)[0].name, line)
    assert completed.returncode == 0, completed
    return completed.stdout.splitlines()[2].strip()


def test_suggestions_without_a_configuration_work(cluster: Cluster) -> None:
    """The suggested commands lead to a cluster that serves as the other tests need it."""
    cluster.renew(databases=True)
    with serve_remote_commands(cluster):
        shown = greeting(cluster)
        for line, _ in first_suggestions():
            assert line in shown
            completed = type_lines(cluster, "node1", line)
            assert completed.returncode == 0, completed
    cluster.configuration = DEFAULT
    assert_example_serves(Example(cluster, DEFAULT))


def test_suggestions_with_a_configuration_work(served: Cluster) -> None:
    (director,) = directors(served)
    bystander = spare(served)
    shown = greeting(served)
    assert f"You are on {director.name}, the director's node" in shown
    assert f"the primary is on {primary(served).name}." in shown
    said = {}
    for line, _ in suggestions(director.name, bystander):
        assert line in shown
        said[line] = type_lines(served, director.name, line)
        assert said[line].returncode == 0, said[line]
    assert f"TCP  {READ_VIP}:5432 rr" in said["ipvsadm -Ln"].stdout
    assert "10.77.0.2" in said[f"on {bystander} ip -brief address"].stdout
    wait_until(
        lambda: serving(pool(served)),
        lambda seen: seen == {node.name for node in standbys(served)},
        "it is back",
        PATIENCE,
        pause=PAUSE,
    )


def test_reads_reach_a_standby_and_writes_the_primary(served: Cluster) -> None:
    assert answers(served, WRITE) == primary(served).name
    assert answers(served, READ) in {node.name for node in standbys(served)}


def test_commands_run_where_they_are_sent(served: Cluster) -> None:
    (director,) = directors(served)
    lines = [
        "on node2 hostname",
        "on node4 hostname",
        "on director hostname",
        "on primary hostname",
    ]
    completed = type_lines(served, "node1", *lines, "echo in | on node3 cat")
    wanted = ["node2", "node4", director.name, primary(served).name, "in"]
    assert (completed.stdout.split(), completed.stderr) == (wanted, "")
    assert type_lines(served, "client", "on node3 hostname").stdout == "node3\n"
    assert type_lines(served, "node1", "on node3 sh -c 'exit 7'").returncode == 7


def test_a_machine_that_does_not_exist_is_named(served: Cluster) -> None:
    completed = type_lines(served, "node1", "on node9 hostname")
    assert completed.returncode == 127
    assert "on: node9 is no machine; legal: node1, node2" in completed.stderr


def test_on_alone_gives_a_shell_with_a_prompt_on_a_terminal(served: Cluster) -> None:
    with terminal_on(served, "node1") as (terminal, typist):
        seen = expect(terminal, "node1:/")
        seen += answer_to(terminal, "on node3\n", "node3:/")
        seen += answer_to(terminal, "hostname; tty\n", "/dev/pts/")
        seen += answer_to(terminal, "sh -c 'echo begun; exec sleep 600'\n", "begun\r\n")
        seen += answer_to(terminal, "\x03", "node3:/")
        seen += answer_to(terminal, "exit 3\n", "node1:/")
        seen += answer_to(terminal, "echo was $?\n", "was 3")
        os.write(terminal, b"exit\n")
        assert typist.wait(END) == 0
    assert "job control" not in seen


@contextlib.contextmanager
def terminal_on(cluster: Cluster, machine: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Yield a terminal with a shell on a machine, and the process that ends with it."""
    ours, theirs = pty.openpty()
    argv = command_line(cluster, Request(machine, [], terminal=False, kind="dumb"))
    typist = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *argv], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        yield ours, typist
    finally:
        os.close(ours)
        typist.kill()
        typist.wait()


def answer_to(terminal: int, typed: str, wanted: str) -> str:
    """Type, and return the terminal's output up to the wanted text."""
    os.write(terminal, typed.encode())
    return expect(terminal, wanted)


def expect(terminal: int, wanted: str) -> str:
    """Return the terminal's output up to the wanted text."""
    deadline, shown = time.monotonic() + END, ""
    os.set_blocking(terminal, False)

    def read() -> str:
        nonlocal shown
        with contextlib.suppress(BlockingIOError):
            shown += os.read(terminal, 65536).decode(errors="replace")
        return shown

    return wait_until(
        read, lambda seen: wanted in seen, wanted, deadline - time.monotonic(), pause=PAUSE
    )
