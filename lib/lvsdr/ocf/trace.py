"""The trace of a run, switched on by the parameter trace_ra or by ``crm_resource -V``.

A trace gets every line of the log, debug lines included.  Its place is that of the traces of the
resource agents' shell functions.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Mapping
from errno import EINVAL

from .parameters import PREFIX, defaulted, optional
from .value_parsers import absolute_path, boolean, is_true

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

TRACE_RA = defaulted(
    "trace_ra",
    boolean,
    "false",
    short="Trace the agent",
    long="Writes what the agent does, debug lines included, to trace_file.",
    reloadable=True,
)
TRACE_FILE = optional(
    "trace_file",
    absolute_path,
    short="Where to trace to",
    long="A file, which is appended to, or a directory, which gets a file for each run. "
    "Not set: /var/lib/heartbeat/trace_ra.",
    reloadable=True,
)


def open_trace(environ: Mapping[str, str], agent: str, instance: str, action: str) -> TextIO | None:
    """Return the stream for the trace; None if tracing is off.

    Raise OSError if the file cannot be written.
    """
    if not is_true(_read_setting(environ, "OCF_TRACE_RA", TRACE_RA.name)):
        return None
    target = _read_setting(environ, "OCF_TRACE_FILE", TRACE_FILE.name)
    if target == "/dev/stderr" or (not target and os.isatty(0)):
        return sys.stderr
    if len(target) == 1 and target in "3456789":
        return _open_writer(os.dup(int(target)))
    moment = time.strftime("%Y-%m-%d.%H:%M:%S")
    return _open_file(target, f"{agent}/{instance}.{action}.{moment}", environ)


def _read_setting(environ: Mapping[str, str], variable: str, parameter: str) -> str:
    return environ.get(variable) or environ.get(PREFIX + parameter) or ""


def _open_file(target: str, name: str, environ: Mapping[str, str]) -> TextIO:
    if not target.startswith("/"):
        target = (environ.get("HA_VARLIB") or "/var/lib/heartbeat") + "/trace_ra/"
    if target.endswith("/") or os.path.isdir(target):
        target = os.path.join(target, name)
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    # Not blocking: the file may be a named pipe that no process reads.  Symbolic links are not
    # followed, because any user may have made them, except those of /dev, such as /dev/stdout.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
    follow = 0 if target.startswith("/dev/") else os.O_NOFOLLOW
    descriptor = os.open(target, flags | follow, 0o600)
    if stat.S_ISBLK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(EINVAL, f"{target} is a block device")
    return _open_writer(descriptor)


def _open_writer(descriptor: int) -> TextIO:
    return open(descriptor, "a", buffering=1, encoding="utf-8", errors="backslashreplace")
