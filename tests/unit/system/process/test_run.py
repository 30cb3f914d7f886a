"""Programs run to their end, in all circumstances."""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lvsdr.system.process.run import OUTPUT_LIMIT, Result, Terms, finish, run, run_all
from lvsdr.system.process.spawn import spawn
from lvsdr.values.deadline import Deadline

pytestmark = [
    pytest.mark.slow,  # most of these tests wait
    pytest.mark.usefixtures("nothing_left"),
]

Script = Callable[[str], tuple[str, ...]]


def soon() -> Deadline:
    return Deadline.after(20.0)


def shell(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


def took(start: float) -> float:
    return time.monotonic() - start


def gone(path: Path) -> bool:
    """Wait a moment for the process with the id in the file; return False if it does not end."""
    number = path.read_text().strip()
    for _ in range(100):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # its new parent may take a while to notice
            return True
        time.sleep(0.01)
    return False


def test_output_and_status() -> None:
    assert run(shell("echo out; echo err >&2; exit 3"), soon()) == Result(3, b"out\n", b"err\n")


def test_success_is_no_problem() -> None:
    assert run(("true",), soon()) == Result(0, b"", b"")


def test_a_signal_is_a_status() -> None:
    result = run(shell("kill -TERM $$"), soon())
    assert (result.status, result.problem) == (128 + signal.SIGTERM, None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("exit 3", "exit status 3"),
        ("echo one >&2; echo ' two  ' >&2; echo >&2; exit 3", "exit status 3: two"),
        ("printf 'caf\\303 \\377\\n' >&2; exit 1", "exit status 1: caf� �"),
        ("kill -KILL $$", "exit status 137"),
    ],
)
def test_the_complaint_is_one_line(text: str, complaint: str) -> None:
    assert run(shell(text), soon()).describe_failure() == complaint


def test_a_long_complaint_is_cut() -> None:
    complaint = run(
        shell("yes | head -c 5000 | tr -d '\\n' >&2; exit 1"), soon()
    ).describe_failure()
    assert complaint == f"exit status 1: {'y' * 200}"


def test_binary_output() -> None:
    assert run(("head", "-c", "70000", "/dev/zero"), soon()).stdout == bytes(70000)


def test_a_big_standard_input() -> None:
    data = bytes(range(256)) * 4096
    assert run(("cat",), soon(), stdin=data).stdout == data
    assert run(("true",), soon(), stdin=data) == Result(0, b"", b"")
    assert run(("wc", "-c"), soon(), stdin=data).stdout == b"1048576\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_endless_output(stream: str) -> None:
    result = run(shell(f"yes >/dev/{stream}"), soon())
    assert result.problem == f"printed more than {OUTPUT_LIMIT} bytes"
    assert not result.inconclusive
    assert result.describe_failure() == result.problem


@pytest.mark.parametrize("length", [100, 101, 65536, 70000])
def test_a_little_too_much_output_is_never_overlooked(length: int) -> None:
    argv = ("head", "-c", str(length), "/dev/zero")
    problems = {run_all([argv], soon(), limit=100)[0].problem for _ in range(10)}
    assert problems == {None if length == 100 else "printed more than 100 bytes"}


def test_too_much_output_that_is_read_after_the_end() -> None:
    """Output beyond the limit is noticed after the end, too.

    A pipe may hold more than is read at a time.
    """
    bigger = "import fcntl; fcntl.fcntl(1, 1031, 1 << 20)"  # F_SETPIPE_SZ
    child = spawn(("/usr/bin/python3", "-c", f"{bigger}; print('x' * 200000)"))
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    result = finish(child, soon(), limit=100000)
    assert (result.status, result.problem) == (0, "printed more than 100000 bytes")


def test_a_timeout() -> None:
    start = time.monotonic()
    result = run(shell("echo before; sleep 60"), soon(), timeout=0.2)
    assert (result.problem, result.inconclusive) == ("timed out after 0.2 s", False)
    assert (result.status, result.stdout) == (128 + signal.SIGKILL, b"before\n")
    assert took(start) < 5


def test_the_deadline_comes_before_the_timeout() -> None:
    """A timeout by the deadline is inconclusive: the program may have been about to answer."""
    result = run(("sleep", "60"), Deadline.after(0.1), timeout=30)
    assert re.fullmatch(r"timed out after 0\.\d+ s", result.problem or "")
    assert result.inconclusive


@pytest.mark.parametrize(("enough", "inconclusive"), [(0.1, False), (30.0, True)])
def test_a_program_with_enough_time_has_failed_at_the_deadline(
    enough: float, inconclusive: bool
) -> None:
    argv = ("sleep", "60")
    (result,) = run_all([argv], Deadline.after(0.3), timeout=60.0, terms=Terms(enough))
    assert re.fullmatch(r"timed out after 0\.\d+ s", result.problem or "")
    assert result.inconclusive is inconclusive


def test_no_time_left() -> None:
    result = run(("touch", "/never"), Deadline.after(0.0))
    assert result == Result(128, b"", b"", "no time left for touch", inconclusive=True)


def test_a_program_that_ignores_signals_is_killed() -> None:
    result = run(shell("trap '' TERM INT HUP; sleep 60"), soon(), timeout=0.2)
    assert result.problem == "timed out after 0.2 s"


def test_children_are_killed_with_their_parent(tmp_path: Path) -> None:
    text = f"sh -c 'sleep 60 & echo $! >{tmp_path}/pid; wait' & wait"
    assert run(shell(text), soon(), timeout=0.5).problem == "timed out after 0.5 s"
    assert gone(tmp_path / "pid")


def test_a_child_that_keeps_the_pipe_open_is_not_waited_for(tmp_path: Path) -> None:
    start = time.monotonic()
    result = run(shell(f"sleep 60 & echo $! >{tmp_path}/pid; echo done"), soon())
    assert result == Result(0, b"done\n", b"")
    assert took(start) < 5
    assert gone(tmp_path / "pid")


def test_a_daemon_without_our_pipes_is_killed_too(tmp_path: Path) -> None:
    text = f"sleep 60 >/dev/null 2>&1 & echo $! >{tmp_path}/pid"
    assert run(shell(text), soon()) == Result(0, b"", b"")
    assert gone(tmp_path / "pid")


def test_a_program_that_closes_its_output_is_waited_for() -> None:
    assert run(shell("exec >&- 2>&-; sleep 0.2; exit 4"), soon()) == Result(4, b"", b"")


def test_a_program_that_closes_its_output_may_time_out() -> None:
    result = run(shell("exec >&- 2>&-; sleep 60"), soon(), timeout=0.2)
    assert result.problem == "timed out after 0.2 s"


def test_a_missing_program() -> None:
    why = "no-such-program cannot be executed: No such file or directory"
    result = run(("no-such-program",), soon())
    assert result == Result(127, b"", b"", why, inconclusive=True)
    assert result.describe_failure() == why


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        (resource.RLIMIT_NOFILE, 3, "Too many open files"),
        (resource.RLIMIT_FSIZE, 0, "File too large"),
    ],
)
def test_a_node_that_is_short_of_something_is_no_missing_program(
    limit: int, value: int, problem: str
) -> None:
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value, hard))
    try:
        result = run(("true",), soon(), stdin=b"something")
    finally:
        resource.setrlimit(limit, (soft, hard))
    why = f"true cannot be executed: {problem}"
    assert result == Result(128, b"", b"", why, inconclusive=True)


def test_one_that_does_not_die_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does not die is left alone, and eight of them take no longer than one.

    A process in state D is such a case, which a test cannot create.
    """
    really, start = os.waitpid, time.monotonic()
    pids = set()

    def hangs(pid: int, options: int) -> tuple[int, int]:
        assert options == os.WNOHANG
        pids.add(pid)
        return 0, 0

    with monkeypatch.context() as patched:
        patched.setattr(os, "waitpid", hangs)
        results = run_all([("sleep", "60")] * 8, soon(), timeout=0.2)
    assert [result.problem for result in results] == ["timed out after 0.2 s"] * 8
    assert took(start) < 4
    assert len(pids) == 8
    for pid in pids:
        really(pid, 0)


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("#!/bin/sh\n", 0o644, "Permission denied"),
        ("echo no shell is asked to read this\n", 0o755, "Exec format error"),
        ("#!/no/such/interpreter\n", 0o755, "No such file or directory"),
    ],
)
def test_a_file_that_is_no_program(tmp_path: Path, text: str, mode: int, why: str) -> None:
    path = tmp_path / "program"
    path.write_text(text)
    path.chmod(mode)
    result = run((str(path),), soon())
    assert (result.problem, result.inconclusive) == (f"{path} cannot be executed: {why}", True)


def test_results_are_in_the_order_of_the_programs() -> None:
    argvs = [shell(f"sleep 0.{9 - number}; echo {number}") for number in range(5)]
    argvs.insert(2, ("no-such-program",))
    results = run_all(argvs, soon())
    assert [result.stdout for result in results] == [b"0\n", b"1\n", b"", b"2\n", b"3\n", b"4\n"]


def test_they_run_side_by_side() -> None:
    start = time.monotonic()
    run_all([("sleep", "0.5")] * 20, soon())
    assert took(start) < 5


def test_but_not_all_at_once(tmp_path: Path) -> None:
    count = f"mkdir {tmp_path}/$$; ls {tmp_path} | wc -l; sleep 0.3; rmdir {tmp_path}/$$"
    results = run_all([shell(count)] * 70, soon())
    assert 8 < max(int(result.stdout) for result in results) <= 32


def test_one_that_hangs_does_not_hold_up_the_others() -> None:
    results = run_all([("sleep", "60"), ("echo", "1"), ("yes",)], soon(), timeout=0.5, limit=100)
    assert [result.problem for result in results] == [
        "timed out after 0.5 s",
        None,
        "printed more than 100 bytes",
    ]


def test_no_programs() -> None:
    assert run_all([], soon()) == []


def test_finish_one_that_was_started_before() -> None:
    child = spawn(shell("echo early; exit 2"))
    time.sleep(0.1)
    assert finish(child, soon()) == Result(2, b"early\n", b"")


def test_finish_one_that_hangs() -> None:
    result = finish(spawn(("sleep", "60")), Deadline.after(0.1))
    assert re.fullmatch(r"timed out after 0\.\d+ s", result.problem or "")
    assert result.status == 128 + signal.SIGKILL
