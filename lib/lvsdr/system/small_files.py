"""Small files of state, and files of users that root writes.

The module imports next to nothing: a monitor that finds nothing to do needs it, too.
"""

from __future__ import annotations

import os
import stat
import time
from errno import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NOT_REGULAR = "it is not a regular file with one name, and is left alone"
_boot: dict[str, str] = {}
OF_KERNEL = "it is below /proc or /sys, where writing changes the kernel, and is left alone"


def read(path: str) -> dict[str, Any]:
    """Return the stored state; empty if it is missing, unreadable or corrupt."""
    import json  # not needed by every monitor

    try:
        state = json.loads(read_text(path))
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def list_names(directory: str) -> list[str]:
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
    try:
        kind = os.lstat(path).st_mode
    except FileNotFoundError:
        kind = stat.S_IFREG
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


def remove_unfinished(path: str) -> None:
    """Remove what killed processes left of replacements of a file."""
    directory, name = os.path.split(path)
    for other in list_names(directory):
        start, _, pid = other.rpartition(".")
        if start == name and pid.isdecimal():
            try:
                os.unlink(os.path.join(directory, other))
            except OSError:
                continue  # it does no harm


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


def write_heartbeat(path: str) -> None:
    """Write the time, in seconds since 1970, to a file of the user; raise OSError."""
    overwrite(path, f"{int(time.time())}\n", 0o644)


def require_regular(path: str) -> None:
    """Raise OSError if the path exists and is not a regular file with one name.

    The files of /proc and /sys look like regular ones.
    """
    if os.path.realpath(os.path.dirname(path)).split("/")[1] in ("proc", "sys"):
        raise OSError(EINVAL, OF_KERNEL)
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    _require_one_name(found)


def _require_one_name(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(EINVAL, NOT_REGULAR)


def remove(path: str) -> None:
    """Remove the stored state, if any."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def read_text(path: str) -> str:
    """Return the text of a file; empty if it is missing, no regular file, or cannot be read."""
    try:
        with open(path, encoding="utf-8", opener=open_without_waiting) as file:
            return file.read() if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""
    except (OSError, ValueError):
        return ""


def compute_fingerprint(path: str) -> str:
    """Return a text that changes when the file is written or replaced; empty if it is missing."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_dev} {found.st_ino}"


def open_without_waiting(path: str, flags: int) -> int:
    """Open a file that may be a FIFO: that would wait for its other end for ever.

    This is an ``opener`` of open().  Writing to a FIFO that no process reads is an error then.
    """
    return os.open(path, flags | os.O_NONBLOCK, 0o666)


def read_boot_id() -> str:
    """Return the identifier of this boot (proc(5)); empty if it cannot be read at the moment."""
    if not _boot.get("id"):
        _boot["id"] = read_text("/proc/sys/kernel/random/boot_id").strip()
    return _boot["id"]
