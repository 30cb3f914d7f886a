"""Start and end of the watcher by the actions of an agent."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from ..system import small_files
from ..system.process import identity
from ..system.process.identity import Process
from ..system.process.spawn import spawn_resident
from ..system.saved_facts import load_facts, render_facts
from ..values.facts import get_value
from ..values.light_typing import NamedTuple
from .facts import WATCHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..values.facts import Facts
    from .facts import Paths

_ACTION = "watch"
_ONCE = 60.0  # seconds between two starts by monitors


class Record(NamedTuple):
    """The process of a watcher, and the time of its start in seconds on the monotonic clock."""

    process: Process
    begun: float


def read_record(path: str) -> Record | None:
    """Return the record of this boot; None if the file is missing or malformed."""
    return load_facts(path, WATCHER, _parse)


def _parse(facts: Facts) -> Record:
    process = Process(int(get_value(facts, "pid")), int(get_value(facts, "started")))
    return Record(process, float(get_value(facts, "begun")))


def store_record(path: str, record: Record) -> None:
    """Write the record; raise OSError."""
    (pid, started), begun = record
    facts = (("pid", pid), ("started", started), ("begun", begun))
    small_files.replace(path, render_facts(WATCHER, facts), 0o600)


def build_command(action: str) -> tuple[str, ...]:
    """Return the command that runs another action of this agent."""
    return (sys.executable or "/usr/bin/python3", "-IS", os.path.realpath(sys.argv[0]), action)


def begin(files: Paths) -> None:
    """Start a watcher in the place of any other one; raise OSError.

    It has its own session and no descriptor of this process.  It is recorded before it listens, so
    that it can be found and ended from its first moment on; without a record it ends by itself.
    """
    end(files)
    os.close(os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.utime(files.lock)
    begun = time.monotonic()
    pid = spawn_resident(build_command(_ACTION))
    process = Process(pid, identity.read_start_time(pid) or 0)
    try:
        store_record(files.record, Record(process, begun))
    except OSError:
        identity.kill(process)
        raise


def end(files: Paths) -> None:
    """End the watcher with its session: its cycle, scripts of that and crm_mon, also stopped ones.

    The action goes on if that fails, for want of a descriptor for example.
    """
    known = read_record(files.record)
    if known is not None:
        with suppress(OSError):
            identity.kill_session(known.process)
    for path in (files.record, files.socket):
        with suppress(OSError):
            small_files.remove(path)


def may_begin_again(files: Paths) -> bool:
    """Test whether the last start lies long enough back for a monitor to start another one."""
    try:
        return abs(time.time() - os.stat(files.lock).st_mtime) >= _ONCE
    except OSError:
        return True
