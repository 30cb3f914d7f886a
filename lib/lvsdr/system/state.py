"""One small file and one lock per resource, in a directory that is cleared at boot."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL

from ..errors import Busy, LvsdrError, Unlockable
from ..values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

NOT_REGULAR = "it is not a regular file with one name, and is left alone"
OF_KERNEL = "it is below /proc or /sys, where writing changes the kernel, and is left alone"
_POLL = 0.05  # seconds between attempts to get a lock that another process holds
_WRITING = 1.0  # seconds at least for a program that outlived its agent to finish writing


def read(path: str) -> dict[str, Any]:
    """Return the stored state; empty if it is missing, unreadable or corrupt."""
    import json  # not needed by every monitor

    try:
        state = json.loads(read_text(path))
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def read_text(path: str) -> str:
    """Return the text of a file; empty if it is missing, no regular file, or cannot be read."""
    try:
        with open(path, encoding="utf-8", opener=without_waiting) as file:
            return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""
    except (OSError, ValueError):
        return ""


def without_waiting(path: str, flags: int) -> int:
    """Open a file that may be a FIFO: that would wait for its other end for ever.

    This is an ``opener`` of open().  Writing to a FIFO that no process reads is an error then.
    """
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def names(directory: str) -> list[str]:
    """Return the names of the files in a directory, sorted; none if it cannot be read."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def write(path: str, state: dict[str, Any]) -> None:
    """Store the state atomically: a reader finds the whole old or the whole new one (mode 0600)."""
    import json

    replace(path, json.dumps(state, sort_keys=True) + "\n", 0o600)


def replace(path: str, text: str, mode: int) -> None:
    """Write a file atomically; a symbolic link is replaced, never followed.

    Raises OSError, even if the path is a device, a FIFO or a socket.
    """
    with suppress(FileNotFoundError):
        kind = os.lstat(path).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISLNK(kind) or stat.S_ISDIR(kind)):
            raise OSError(EINVAL, NOT_REGULAR)
    temporary = f"{path}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    remove(temporary)  # left by a killed process with the same number
    descriptor = os.open(temporary, flags, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def overwrite(path: str, text: str, mode: int) -> None:
    """Write a file of the user in place, or create it; raise OSError.

    This process is root, and other users may be able to write to the directory.  So only a regular
    file with one name is written, and nothing is replaced.
    """
    require_regular(path)  # opening a device may already have effects
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb", buffering=0) as file:
        _require_one_name(os.fstat(descriptor))
        file.write(text.encode())
        file.truncate()


def require_regular(path: str) -> None:
    """Raise OSError if the path exists and is not a regular file with one name.

    The files of /proc and /sys look like regular ones.
    """
    if os.path.realpath(os.path.dirname(path)).split("/")[1] in ("proc", "sys"):
        raise OSError(EINVAL, OF_KERNEL)
    with suppress(FileNotFoundError):
        _require_one_name(os.lstat(path))


def _require_one_name(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(EINVAL, NOT_REGULAR)


def remove(path: str) -> None:
    """Remove the stored state, if any."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


@contextmanager
def locked(
    path: str,
    deadline: Deadline,
    *,
    go_on_after: tuple[type[LvsdrError], ...] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Hold the lock on ``path``; the context's value is empty, or the reason for no lock.

    Raises Busy if another process holds the lock until the deadline.  Raises Unlockable if the lock
    cannot be taken at all.  An error in ``go_on_after`` is not raised.  The lock ends with this
    process and the children that inherit it; the file stays.  Children of a killed process are
    ended after half of the time; ``tell`` gets a sentence for each.
    """
    try:
        descriptor = _waited_for(path, deadline, tell)
    except go_on_after as error:
        yield f"{error}: going on without the lock"
        return
    _held.append(descriptor)
    try:
        yield ""
    finally:
        _held.remove(descriptor)
        os.close(descriptor)


_held: list[int] = []


def held() -> tuple[int, ...]:
    """Return the descriptors of this process's locks, for children that write.

    A child that inherits them keeps other writers away while it runs, even if this process is
    killed (flock(2): a lock belongs to the open file).
    """
    return tuple(_held)


def lock(path: str) -> int | None:
    """Lock ``path`` until the returned descriptor is closed; None if another process has the lock.

    Raises Unlockable if the file cannot be locked at all.
    """
    descriptor = _opened(path)
    if _try_lock(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None


def _waited_for(path: str, deadline: Deadline, tell: Callable[[str], None]) -> int:
    descriptor = _opened(path)
    patience = Deadline.after(max(_WRITING, deadline.remaining() / 2))
    try:
        while not _try_lock(descriptor, path):
            if deadline.is_expired():
                raise Busy("another action of this resource is still running")
            if patience.is_expired():
                _end_orphans(descriptor, tell)
                patience = Deadline.after(_WRITING)
            time.sleep(_POLL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _end_orphans(descriptor: int, tell: Callable[[str], None]) -> None:
    from .process.orphans import end_orphans  # not needed by every monitor

    for sentence in end_orphans(descriptor):
        tell(sentence)


def _opened(path: str) -> int:
    """Open a lock file, read-only if it cannot be written: a read-only file can be locked."""
    try:
        with suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        try:
            return os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return os.open(path, _FLAGS | os.O_RDONLY)
    except OSError as error:
        raise Unlockable(f"cannot lock {path}: {error.strerror}") from None


_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: the path may be a FIFO


def _try_lock(descriptor: int, path: str) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise Unlockable(f"cannot lock {path}: {error.strerror}") from None
    return True


def boot_id() -> str:
    """Return the identifier of this boot (proc(5))."""
    return read_text("/proc/sys/kernel/random/boot_id").strip()
