"""A process that outlives its parent's action: it is found again and ended, and no other is."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from lvsdr.system.net import announcer
from lvsdr.system.net.announcer import Process, Rounds
from lvsdr.system.process.identity import is_running, read_start_time

from tests.project.tree import LIB
from tests.unit.descriptors import open_descriptors, require_none_left

LONG = Rounds("nosuch0", (b"",), 1000, 0.05)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Check that no test leaves descriptors open; reap the children."""
    before = open_descriptors()
    yield
    require_none_left(before)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def begun(rounds: Rounds, log: Path) -> Process:
    """Start a sender that logs each check whether it is still wanted."""
    known: list[Process] = []

    def wanted(process: Process) -> bool:
        with log.open("a") as file:
            file.write(f"{process.pid} {process.start_time}\n")
        return True

    announcer.begin(rounds, known.append, wanted)
    return known[0]


def alive(process: Process) -> bool:
    return is_running(process)


def opened(process: Process) -> set[str]:
    """Return the paths that the process has open."""
    found = set()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.readlink(link))
    return found


def wait_until(condition: object) -> None:
    assert callable(condition)
    limit = time.monotonic() + 10.0
    while not condition() and time.monotonic() < limit:
        time.sleep(0.01)
    assert condition()


def test_it_is_a_session_of_its_own_and_holds_nothing(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as held:
        process = begun(LONG._replace(interval=5.0), tmp_path / "log")
        assert os.getsid(process.pid) == process.pid
        wait_until(lambda: held.name not in opened(process))
        assert announcer.end(process)
    assert not alive(process)


def test_it_ends_by_itself(tmp_path: Path) -> None:
    """A sender on a missing interface ends after its first round."""
    process = begun(LONG, tmp_path / "log")
    wait_until(lambda: not alive(process))
    assert (tmp_path / "log").read_text() == f"{process.pid} {process.start_time}\n"
    assert not announcer.end(process)


def test_it_ends_when_it_is_no_longer_wanted() -> None:
    remembered: list[Process] = []
    announcer.begin(LONG, remembered.append, lambda _: False)
    wait_until(lambda: not alive(remembered[0]))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a network namespace")
def test_it_ends_when_the_link_is_lost() -> None:
    """A sender ends when the link is lost.

    It does not go on when the link comes back: the address may be elsewhere by then.
    """
    code = (
        "import os, subprocess, sys, time\n"
        f"sys.path.insert(0, {str(LIB)!r})\n"
        "from lvsdr.system.net import announcer\n"
        "ip = lambda words: subprocess.run(['ip', *words.split()], check=True)\n"
        "ip('link add v0 type veth peer name v1'); ip('link set v0 up'); ip('link set v1 up')\n"
        "known = []\n"
        "rounds = announcer.Rounds('v0', (bytes(60),), 100000, 0.05)\n"
        "announcer.begin(rounds, known.append, lambda _: True)\n"
        "time.sleep(0.5)\n"
        "assert os.waitpid(-1, os.WNOHANG) == (0, 0)\n"
        "ip('link set v1 down')\n"
        "os.waitpid(-1, 0)\n"
    )
    argv = ["unshare", "--net", "/usr/bin/python3", "-c", code]
    done = subprocess.run(argv, timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unrecorded_sender_sends_nothing(tmp_path: Path) -> None:
    def fails(_: Process) -> None:
        raise OSError("disk full")

    log = tmp_path / "log"
    with pytest.raises(OSError, match="disk full"):
        announcer.begin(LONG, fails, lambda _: bool(log.write_text("asked")))
    os.waitpid(-1, 0)
    assert not log.exists()


def test_another_process_is_left_alone() -> None:
    """A process that has the sender's number by now is not ended."""
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        started = read_start_time(other.pid)
        assert started
        assert not announcer.end(Process(other.pid, started - 1))
        assert other.poll() is None
        assert announcer.end(Process(other.pid, started))
        assert other.wait() == -9


def test_a_process_that_has_ended_is_not_ended() -> None:
    assert not announcer.end(Process(4194305, 1))  # more than the kernel's largest
