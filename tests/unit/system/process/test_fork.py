"""A function that runs as a program: its output, its status, its end."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from lvsdr.system.process.fork import fork
from lvsdr.system.process.run import Result, finish
from lvsdr.values.deadline import Deadline

pytestmark = pytest.mark.usefixtures("nothing_left")


def says_something() -> None:
    os.write(1, os.readlink("/proc/self/fd/0").encode())
    os.write(2, f"{os.getpgid(0) == os.getpid()}".encode())


def sleeps() -> None:
    os.write(1, b"doing\n")
    time.sleep(60)


def fails() -> None:
    raise ValueError("password")


def leaves() -> None:
    sys.exit(3)


def test_its_output_is_read() -> None:
    deadline = Deadline.after(20)
    child = fork("talker", says_something, deadline)
    assert finish(child, deadline) == Result(0, b"/dev/null", b"True")


@pytest.mark.parametrize(("work", "says"), [(fails, b"ValueError\n"), (leaves, b"SystemExit\n")])
def test_an_exception_shows_as_its_kind_alone(work: object, says: bytes) -> None:
    deadline = Deadline.after(20)
    assert callable(work)
    assert finish(fork("loser", work, deadline), deadline) == Result(1, b"", says)


def test_it_is_given_up_at_the_deadline() -> None:
    deadline = Deadline.after(0.2)
    result = finish(fork("sleeper", sleeps, deadline), deadline)
    assert result.problem is not None
    assert result.problem.startswith("timed out after 0.")
    assert result.stdout == b"doing\n"


@pytest.mark.parametrize("ignored", [True, False])
def test_it_ends_without_being_ended(ignored: bool) -> None:
    """A child ends itself at its deadline, even if its parent ignores SIGALRM."""
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        child = fork("sleeper", sleeps, Deadline.after(0.0))
    finally:
        signal.signal(signal.SIGALRM, before)
    _, status = os.waitpid(child.pid, 0)
    os.close(child.stdout)
    os.close(child.stderr)
    assert os.WTERMSIG(status) == signal.SIGALRM
