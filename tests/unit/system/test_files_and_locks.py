"""The state file and the lock of a resource."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from lvsdr.errors import Busy, Unlockable
from lvsdr.system import locking, small_files
from lvsdr.system.process.spawn import spawn
from lvsdr.values.deadline import Deadline

from tests.project.tree import LIB
from tests.unit.descriptors import open_descriptors, require_none_left

HOLDER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from lvsdr.values.deadline import Deadline
from lvsdr.system.locking import locked

from tests.unit.descriptors import open_descriptors, require_none_left
with locked(sys.argv[2], Deadline.after(5)):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lvsdr-lvs.state")


def test_written_state_is_read(path: str) -> None:
    small_files.write(path, {"b": [1, None], "a": {"ü": 1.5}})
    assert small_files.read(path) == {"b": [1, None], "a": {"ü": 1.5}}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_new_takes_the_place_of_the_old(path: str) -> None:
    small_files.write(path, {"old": 1})
    with open(path) as before:
        small_files.write(path, {"new": 1})
        assert before.read() == '{"old": 1}\n'  # a reader in between has the whole old state
    assert small_files.read(path) == {"new": 1}
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'"text"', b"{'a': 1}"]
)
def test_corrupt_is_empty(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert small_files.read(path) == {}


def test_missing_or_unreadable_is_empty(tmp_path: Path, path: str) -> None:
    assert small_files.read(path) == {}
    assert small_files.read(str(tmp_path)) == {}


def test_a_fifo_or_a_device_is_empty_and_does_not_hang(path: str) -> None:
    os.mkfifo(path)
    assert small_files.read_text(path) == ""
    os.unlink(path)
    os.symlink("/dev/zero", path)
    assert small_files.read_text(path) == ""


def test_a_symbolic_link_is_replaced(tmp_path: Path, path: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.symlink(victim, path)
    small_files.write(path, {"a": 1})
    assert (victim.read_text(), os.path.islink(path)) == ("precious", False)


@pytest.mark.parametrize("leave", [Path.touch, lambda path: path.symlink_to("/dev/null")])
def test_files_of_a_killed_process_are_no_obstacle(path: str, leave: object) -> None:
    assert callable(leave)
    leave(Path(f"{path}.{os.getpid()}"))
    small_files.write(path, {"a": 1})
    assert small_files.read(path) == {"a": 1}


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "directory"
    target.mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        small_files.replace(str(target), "text", 0o600)
    assert os.listdir(tmp_path) == ["directory"]


def test_the_mode_is_chosen(path: str) -> None:
    umask = os.umask(0o022)
    small_files.replace(path, "text\n", 0o644)
    os.umask(umask)
    assert (Path(path).read_text(), stat.S_IMODE(os.stat(path).st_mode)) == ("text\n", 0o644)


def special_files(directory: Path) -> dict[str, Path]:
    """Create one of each kind of file that is not a private regular file."""
    found = {
        name: directory / name for name in ("fifo", "socket", "link", "hard link", "directory")
    }
    victim = directory / "victim"
    victim.write_text("precious")
    os.mkfifo(found["fifo"])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(found["socket"]))
    found["link"].symlink_to(victim)
    os.link(victim, found["hard link"])
    found["directory"].mkdir()
    return {**found, "device": Path("/dev/null")}


@pytest.mark.parametrize("kind", ["fifo", "socket", "link", "hard link", "directory", "device"])
def test_foreign_files_are_not_overwritten(kind: str, tmp_path: Path) -> None:
    path = special_files(tmp_path)[kind]
    before = path.lstat()
    with pytest.raises(OSError, match=small_files.NOT_REGULAR):
        small_files.overwrite(str(path), "1\n", 0o644)
    with pytest.raises(OSError, match=small_files.NOT_REGULAR):
        small_files.require_regular(str(path))
    after = path.lstat()
    assert (after.st_mode, after.st_ino, after.st_rdev) == (
        before.st_mode,
        before.st_ino,
        before.st_rdev,
    )
    assert (tmp_path / "victim").read_text() == "precious"


@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_devices_and_their_like_are_not_replaced(kind: str, tmp_path: Path) -> None:
    path = special_files(tmp_path)[kind]
    with pytest.raises(OSError, match=small_files.NOT_REGULAR):
        small_files.replace(str(path), "1\n", 0o644)
    check = {"fifo": stat.S_ISFIFO, "socket": stat.S_ISSOCK, "device": stat.S_ISCHR}[kind]
    assert check(path.lstat().st_mode)


def test_the_kernels_files_are_no_regular_files(tmp_path: Path) -> None:
    """They look like it.  Writing a time to /proc/sysrq-trigger would be a command."""
    beside = tmp_path / "link"
    beside.symlink_to("/proc/self")
    for path in ("/proc/self/comm", "/proc/new", f"{beside}/comm", "/sys/kernel/uevent_seqnum"):
        with pytest.raises(OSError, match=small_files.OF_KERNEL):
            small_files.overwrite(path, "1\n", 0o644)
    assert Path("/proc/self/comm").read_text() != "1\n"


def test_a_file_is_overwritten_in_its_place(path: str) -> None:
    umask = os.umask(0o022)
    small_files.overwrite(path, "1234567890\n", 0o644)
    os.umask(umask)
    first = os.stat(path)
    assert stat.S_IMODE(first.st_mode) == 0o644
    small_files.overwrite(path, "12\n", 0o600)
    assert (Path(path).read_text(), os.stat(path).st_ino) == ("12\n", first.st_ino)


def test_remove(path: str) -> None:
    small_files.write(path, {})
    small_files.remove(path)
    small_files.remove(path)
    assert not os.path.exists(path)


def test_a_lock_is_free_again_afterwards(path: str) -> None:
    before = open_descriptors()
    for _ in range(2):
        with locking.locked(path, Deadline.after(1)):
            assert os.path.exists(path)
    with pytest.raises(ZeroDivisionError), locking.locked(path, Deadline.after(1)):
        _ = 1 / 0
    with locking.locked(path, Deadline.after(1)):
        pass
    require_none_left(before)


def test_the_directory_is_made(tmp_path: Path) -> None:
    with locking.locked(str(tmp_path / "run" / "deep" / "lock"), Deadline.after(1)):
        assert (tmp_path / "run" / "deep").is_dir()


def test_no_lock_through_a_symbolic_link(tmp_path: Path, path: str) -> None:
    os.symlink(tmp_path / "victim", path)
    with pytest.raises(Unlockable) as raised, locking.locked(path, Deadline.after(1)):
        pass
    assert str(raised.value) == f"cannot lock {path}: Too many levels of symbolic links"
    assert not (tmp_path / "victim").exists()


def holder(path: str, seconds: float) -> subprocess.Popen[str]:
    """Start another process that has the lock."""
    argv = [sys.executable, "-c", HOLDER, str(LIB), path, str(seconds)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_that_another_process_holds(path: str) -> None:
    with holder(path, 60) as other:
        start = time.monotonic()
        with pytest.raises(Busy) as raised, locking.locked(path, Deadline.after(0.2)):
            pass
        assert str(raised.value) == "another action of this resource is still running"
        assert 0.2 <= time.monotonic() - start < 2
        other.kill()


def test_a_lock_is_waited_for(path: str) -> None:
    with holder(path, 0.3), locking.locked(path, Deadline.after(10)):
        pass


def test_a_killed_process_holds_no_lock(path: str) -> None:
    with holder(path, 60) as other:
        other.send_signal(signal.SIGKILL)
        with locking.locked(path, Deadline.after(5)):
            pass


def test_going_on_without_a_lock(tmp_path: Path, path: str) -> None:
    os.symlink(tmp_path / "victim", path)
    with locking.locked(path, Deadline.after(1), go_on_after=(Unlockable,)) as problem:
        reason = f"cannot lock {path}: Too many levels of symbolic links"
        assert problem == f"{reason}: going on without the lock"
        assert locking.list_held() == ()


def test_a_lock_that_is_had_is_no_problem(path: str) -> None:
    with locking.locked(path, Deadline.after(1), go_on_after=(Unlockable, Busy)) as problem:
        assert problem == ""
        assert len(locking.list_held()) == 1
    assert locking.list_held() == ()


def test_a_lock_that_is_held_can_be_gone_without(path: str) -> None:
    with holder(path, 60) as other:
        with locking.locked(path, Deadline.after(0.1), go_on_after=(Busy,)) as problem:
            assert problem.startswith("another action of this resource is still running: ")
        other.kill()


def test_a_file_that_can_only_be_read_can_be_locked() -> None:
    """A file on a file system that was remounted read-only can be locked.

    Root may write to any other file, so the test drops its privileges.
    """
    drop = "import os\nos.geteuid() or os.setuid(65534)\n"
    unprivileged = HOLDER.replace("with locked", f"{drop}with locked")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        path = Path(name, "lock")
        path.touch(mode=0o444)
        argv = [sys.executable, "-c", unprivileged, str(LIB), str(path), "0"]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "held\n"


def test_a_fifo_in_place_of_a_lock_does_not_hang(path: str) -> None:
    os.mkfifo(path)
    with locking.locked(path, Deadline.after(1)):
        pass


def test_the_lock_is_kept_by_a_writer_that_outlives_its_agent(path: str) -> None:
    """A writer that outlives its agent keeps the lock, as ipvsadm does when the agent is killed."""
    with locking.locked(path, Deadline.after(1)):
        child = spawn(("sleep", "60"), keep=locking.list_held())
    with pytest.raises(Busy), locking.locked(path, Deadline.after(0.2)):
        pass
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    with locking.locked(path, Deadline.after(5)):
        pass
    os.close(child.stdout)
    os.close(child.stderr)


def test_children_do_not_inherit_the_lock(path: str) -> None:
    with locking.locked(path, Deadline.after(1)):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
    with locking.locked(path, Deadline.after(0.5)):
        child.kill()
    child.wait()


def test_the_boot_has_a_name() -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert small_files.read_boot_id() == boot != ""


def test_a_boot_that_cannot_be_read_is_read_again_later() -> None:
    code = (
        "import resource, sys; sys.path.insert(0, sys.argv[1])\n"
        "from lvsdr.system import small_files\n"
        "limits = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))\n"
        "before = small_files.read_boot_id()\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, limits)\n"
        "print([before, small_files.read_boot_id()])\n"
    )
    argv = [sys.executable, "-c", code, str(LIB)]
    printed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert printed == f"{['', small_files.read_boot_id()]}\n"


def test_the_rest_of_a_killed_writer_is_removed(tmp_path: Path) -> None:
    names = ("cycle", "cycle.17", "cycle.x", "other.17", "cycle.17.18")
    for name in names:
        (tmp_path / name).touch()
    small_files.remove_unfinished(str(tmp_path / "cycle"))
    assert {path.name for path in tmp_path.iterdir()} == {*names} - {"cycle.17"}
