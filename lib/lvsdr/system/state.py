"""One small file and one lock per resource, in the directory that is cleared at boot."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL

from ..deadline import Deadline
from ..errors import Busy, LvsdrError, Unlockable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOT_REGULAR = "it is not a regular file with one name, and is left alone"
OF_KERNEL = "it is below /proc or /sys, where writing changes the kernel, and is left alone"
_POLL = 0.05  # seconds between attempts to get a lock that somebody holds


def read(path: str) -> dict[str, Any]:
    """The stored state; missing, unreadable or corrupt is the same as empty."""
    import json  # not for every monitor

    try:
        state = json.loads(read_text(path))
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def read_text(path: str) -> str:
    """Return the text of a file; empty if it is missing, no regular file, or cannot be read."""
    try:
        with open(path, encoding="utf-8", opener=_without_waiting) as file:
            return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""
    except (OSError, ValueError):
        return ""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file that may be a FIFO: that would wait for its other end for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def names(directory: str) -> list[str]:
    """Return the names of the files in a directory, sorted; none if it cannot be read."""
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def write(path: str, state: dict[str, Any]) -> None:
    """Store the state so that a reader finds the old or the new one, whole (mode 0600)."""
    import json

    replace(path, json.dumps(state, sort_keys=True) + "\n", 0o600)


def replace(path: str, text: str, mode: int) -> None:
    """Write a file atomically; a symbolic link is replaced, never followed.

    Raises OSError, also if a device, a FIFO or a socket is in the place.
    """
    with suppress(FileNotFoundError):
        kind = os.lstat(path).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISLNK(kind) or stat.S_ISDIR(kind)):
            raise OSError(EINVAL, NOT_REGULAR)
    temporary = f"{path}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    remove(temporary)  # of a process that was killed and had the same number
    descriptor = os.open(temporary, flags, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def overwrite(path: str, text: str, mode: int) -> None:
    """Write a file of the user's in place, or make it; raises OSError.

    This process is root, and others may be able to write to the directory: nothing but a regular
    file with one name is written to, and nothing is replaced.
    """
    require_regular(path)  # a device may act when it is only opened
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb", buffering=0) as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError(EINVAL, NOT_REGULAR)
        file.write(text.encode())
        file.truncate()


def require_regular(path: str) -> None:
    """Raise OSError if something is in the place that is no regular file with one name.

    The files of /proc and /sys look like regular ones.
    """
    if os.path.realpath(os.path.dirname(path)).split("/")[1] in ("proc", "sys"):
        raise OSError(EINVAL, OF_KERNEL)
    with suppress(FileNotFoundError):
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise OSError(EINVAL, NOT_REGULAR)


def remove(path: str) -> None:
    """Forget the state."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


@contextmanager
def locked(
    path: str, deadline: Deadline, *, go_on_after: tuple[type[LvsdrError], ...] = ()
) -> Iterator[str]:
    """Hold the lock on ``path``; the context's value is empty, or says why there is no lock.

    Raises Busy when another process holds it until the deadline, and Unlockable when it cannot be
    had at all, unless ``go_on_after`` has that error.  The lock goes with the process and the
    children that inherit it, however they end; the file stays.
    """
    try:
        descriptor = _waited_for(path, deadline)
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
    """Return the descriptors of the locks that this process holds, for children that write.

    A child that inherits them keeps other writers away for as long as it runs, even if this process
    is killed (flock(2): the lock is that of the open file).
    """
    return tuple(_held)


def lock(path: str) -> int | None:
    """Lock ``path`` until the descriptor that is returned is closed; None if another has it.

    Raises Unlockable if it cannot be locked at all.
    """
    descriptor = _opened(path)
    if _try_lock(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None


def _waited_for(path: str, deadline: Deadline) -> int:
    descriptor = _opened(path)
    try:
        while not _try_lock(descriptor, path):
            if deadline.expired():
                raise Busy("another action of this resource is still running")
            time.sleep(_POLL)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _opened(path: str) -> int:
    """Open the file of a lock; one that can only be read, on a read-only disk, can be locked."""
    try:
        with suppress(OSError):
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        try:
            return os.open(path, _FLAGS | os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return os.open(path, _FLAGS | os.O_RDONLY)
    except OSError as error:
        raise Unlockable(f"cannot lock {path}: {error.strerror}") from None


_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # O_NONBLOCK: it may be a FIFO


def _try_lock(descriptor: int, path: str) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise Unlockable(f"cannot lock {path}: {error.strerror}") from None
    return True


def boot_id() -> str:
    """What tells this boot from any other (proc(5))."""
    return read_text("/proc/sys/kernel/random/boot_id").strip()
