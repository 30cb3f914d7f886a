"""Starting a program: what it gets from us, and what it does not."""

from __future__ import annotations

import os
import signal

import pytest
from lvsdr.system.spawn import spawn


def output(*argv: str, stdin: int | None = None) -> str:
    child = spawn(argv, stdin)
    with open(child.stdout) as out, open(child.stderr) as err:
        said = out.read() + err.read()
    assert os.waitpid(child.pid, 0) == (child.pid, 0)
    return said.strip()


def test_no_standard_input() -> None:
    assert output("readlink", "/proc/self/fd/0") == "/dev/null"


def test_a_standard_input_of_choice() -> None:
    read, write = os.pipe()
    os.write(write, b"hello")
    os.close(write)
    assert output("cat", stdin=read) == "hello"
    os.close(read)


def test_a_process_group_of_its_own() -> None:
    child = spawn(("sleep", "60"))
    assert os.getpgid(child.pid) == child.pid
    os.killpg(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    os.close(child.stdout)
    os.close(child.stderr)


def test_the_language_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("KEPT", "yes")
    assert output("sh", "-c", "echo $LC_ALL $KEPT") == "C yes"


def test_no_shell_reads_the_arguments() -> None:
    assert output("echo", "$HOME;", "`id`", "*", "a  b") == "$HOME; `id` * a  b"


def test_it_inherits_no_other_descriptors() -> None:
    with open("/dev/null") as kept:
        number = os.dup2(kept.fileno(), 200, inheritable=False)
    assert str(number) not in output("ls", "/proc/self/fd").split()
    os.close(number)


def test_a_broken_pipe_ends_it() -> None:
    """Python ignores SIGPIPE, which a program would inherit."""
    assert output("bash", "-c", "yes | head -n1; echo ${PIPESTATUS[0]}") == "y\n141"


@pytest.mark.parametrize("program", ["no-such-program", "/no/such/program", "/etc/passwd", "/etc"])
def test_what_cannot_be_started_leaks_nothing(program: str) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match=r"No such file|Permission denied"):
        spawn((program,))
    assert os.listdir("/proc/self/fd") == before
