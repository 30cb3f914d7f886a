"""One small file and one lock per resource, in the directory that is cleared at boot."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..deadline import Deadline
from ..errors import Busy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
    """The text of a file; empty if it is missing or cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def write(path: str, state: dict[str, Any]) -> None:
    """Store the state so that a reader finds the old or the new one, whole (mode 0600)."""
    import json

    replace(path, json.dumps(state, sort_keys=True) + "\n", 0o600)


def replace(path: str, text: str, mode: int) -> None:
    """Write a file atomically; a symbolic link is replaced, never followed.  Raises OSError."""
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


def remove(path: str) -> None:
    """Forget the state."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


@contextmanager
def locked(path: str, deadline: Deadline) -> Iterator[None]:
    """Hold the lock on ``path``; raises Busy when it cannot be had by the deadline.

    The lock goes with the process, however that ends; the file stays.
    """
    descriptor = _opened(path)
    try:
        while not _try_lock(descriptor):
            if deadline.expired():
                raise Busy("another action of this resource is still running")
            time.sleep(_POLL)
        yield
    finally:
        os.close(descriptor)


def lock(path: str) -> int | None:
    """Lock ``path`` until the descriptor that is returned is closed; None if another has it.

    Raises Busy if it cannot be locked at all.
    """
    descriptor = _opened(path)
    if _try_lock(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def _opened(path: str) -> int:
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Busy(f"cannot lock {path}: {error.strerror}") from None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def boot_id() -> str:
    """What tells this boot from any other (proc(5))."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
