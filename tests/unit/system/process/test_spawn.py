"""Start of a program: the things that it inherits, and those that it does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Optional

import pytest
from lvsdr.system.process.fork import spawn_tied
from lvsdr.system.process.spawn import Child, children, spawn, spawn_resident

from tests.unit.descriptors import open_descriptors, require_none_left

Starter = Callable[[tuple[str, ...], Optional[int]], Child]


@pytest.fixture(params=[spawn, spawn_tied], ids=["spawn", "tied"])
def starter(request: pytest.FixtureRequest) -> Starter:
    """Return each way to start a program; a program inherits the same from all of them."""
    found: Starter = request.param
    return found


def output(starter: Starter, *argv: str, stdin: int | None = None) -> str:
    child = starter(argv, stdin)
    with open(child.stdout) as out, open(child.stderr) as err:
        said = out.read() + err.read()
    assert os.waitpid(child.pid, 0) == (child.pid, 0)
    children.discard(child.pid)
    return said.strip()


def test_no_standard_input(starter: Starter) -> None:
    assert output(starter, "readlink", "/proc/self/fd/0") == "/dev/null"


def test_a_standard_input_of_choice(starter: Starter) -> None:
    read, write = os.pipe()
    os.write(write, b"hello")
    os.close(write)
    assert output(starter, "cat", stdin=read) == "hello"
    os.close(read)


def test_a_process_group_of_its_own(starter: Starter) -> None:
    child = starter(("sleep", "60"), None)
    assert os.getpgid(child.pid) == child.pid
    os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    children.discard(child.pid)
    os.close(child.stdout)
    os.close(child.stderr)


def test_the_language_of_messages(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("KEPT", "yes")
    assert output(starter, "sh", "-c", "echo $LC_ALL $KEPT") == "C yes"


def test_no_shell_reads_the_arguments(starter: Starter) -> None:
    assert output(starter, "echo", "$HOME;", "`id`", "*", "a  b") == "$HOME; `id` * a  b"


def test_it_inherits_no_other_descriptors(starter: Starter) -> None:
    with open("/dev/null") as kept:
        number = os.dup2(kept.fileno(), 200, inheritable=False)
    assert str(number) not in output(starter, "ls", "/proc/self/fd").split()
    os.close(number)


def test_a_broken_pipe_ends_it(starter: Starter) -> None:
    """A broken pipe ends a program: it does not inherit that Python ignores SIGPIPE."""
    assert output(starter, "bash", "-c", "yes | head -n1; echo ${PIPESTATUS[0]}") == "y\n141"


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "/etc/passwd", "/etc"])
def test_a_failed_start_leaks_nothing(starter: Starter, program: str) -> None:
    before = open_descriptors()
    with pytest.raises(OSError, match=r"No such file|Permission denied"):
        starter((program,), None)
    require_none_left(before)


def test_the_signals_that_are_blocked_are_not_inherited_blocked(starter: Starter) -> None:
    mask = output(starter, "grep", "SigBlk", "/proc/self/status").split()[1]
    assert int(mask, 16) & 1 << (signal.SIGTERM - 1) == 0
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize(("given", "expected"), [(None, "/root"), ("/home/me", "/home/me")])
def test_a_resident_program_has_a_home(
    given: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of a cluster daemon may have none, and libpq would ask the name service."""
    monkeypatch.delenv("HOME")
    if given is not None:
        monkeypatch.setenv("HOME", given)
    code = f"echo $HOME > {tmp_path}/home"
    _, status = os.waitpid(spawn_resident(("sh", "-c", code)), 0)
    assert status == 0
    assert (tmp_path / "home").read_text() == f"{expected}\n"
