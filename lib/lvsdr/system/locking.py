"""The lock of a resource: a file in a directory that is cleared at boot."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import Busy, LvsdrError, Unlockable
from ..values.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

_POLL = 0.05  # seconds between attempts to get a lock that another process holds
_WRITING = 1.0  # seconds at least for a program that outlived its agent to finish writing


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
        descriptor = _await_lock(path, deadline, tell)
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


def list_held() -> tuple[int, ...]:
    """Return the descriptors of this process's locks, for children that write.

    A child that inherits them keeps other writers away while it runs, even if this process is
    killed (flock(2): a lock belongs to the open file).
    """
    return tuple(_held)


def lock(path: str) -> int | None:
    """Lock ``path`` until the returned descriptor is closed; None if another process has the lock.

    Raises Unlockable if the file cannot be locked at all.
    """
    descriptor = _open_file(path)
    if _try_lock(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None


def _await_lock(path: str, deadline: Deadline, tell: Callable[[str], None]) -> int:
    descriptor = _open_file(path)
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


def _open_file(path: str) -> int:
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
