"""Children end with the process that started them, in every case of its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.project.tree import LIB

# A process that runs a script, which writes its process id to a file and hangs.
PARENT = """\
import sys
sys.path.insert(0, {lib!r})
from lvsdr.values.deadline import Deadline
from lvsdr.system.process.fork import spawn_tied
from lvsdr.system.process.run import Terms, run_all
from lvsdr.system.process.spawn import end_with_children, spawn
end_with_children()
script = ("sh", "-c", "echo $$ >{file}.new; mv {file}.new {file}; {what}")
run_all([script], Deadline.after(60.0), terms=Terms(starter={starter}))
"""


def parent(file: Path, starter: str, what: str) -> subprocess.Popen[bytes]:
    """Start the process, in a group of its own, and return it when the script runs."""
    code = PARENT.format(lib=str(LIB), file=file, starter=starter, what=what)
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    while not file.exists():
        time.sleep(0.01)
    return process


def gone(number: int) -> bool:
    """Wait some seconds for a process to end; return False if it does not."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("starter", ["spawn", "spawn_tied"])
def test_sigterm_to_the_group_ends_the_script_and_its_children(
    starter: str, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    process = parent(file, starter, f"sleep 1000 & echo $! >{file}.child; wait")
    script = int(file.read_text())
    while not Path(f"{file}.child").exists():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    assert gone(script)
    assert gone(int(Path(f"{file}.child").read_text()))


def test_sigkill_to_the_group_ends_a_script_of_the_user(tmp_path: Path) -> None:
    """A SIGKILL to the group, as from Pacemaker after a timeout, ends a script of the user, too."""
    process = parent(tmp_path / "pid", "spawn_tied", "while :; do sleep 1; done")
    script = int((tmp_path / "pid").read_text())
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert gone(script)
