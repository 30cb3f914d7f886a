"""A resource with a watcher, and the processes of both."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from lvsdr.watcher import control

from tests.lab.resource import OK, PATH, Resource, first_in_path

SOON = 20.0  # seconds; a longer wait means that something hangs
DRAINED = {"node1": 1, "node2": 1, "node3": 0}
DELETED = {"node1": 1, "node2": 1}


class Watched(Resource):
    """A resource with a watcher, and its processes."""

    crm_mon = f'PATH={PATH} exec crm_mon "$@"'
    """The commands of a shell script that does what the resource's crm_mon does."""

    def processes(self, *words: str) -> list[int]:
        """Return the processes of this resource whose command line contains the words."""
        own = f"HA_RSCTMP={self.host.rsctmp}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
                environ = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            instance = f"OCF_RESOURCE_INSTANCE={self.instance}".encode()
            if own in environ and instance in environ and {w.encode() for w in words} <= {*line}:
                found.append(int(entry.name))
        return sorted(found)

    @property
    def watchers(self) -> list[int]:
        """Return the watchers, without a child that has not begun its own program yet."""
        found = self.processes("watch")
        return [pid for pid in found if _find_parent(pid) not in (None, *found)]

    @property
    def socket(self) -> Path:
        return next(self.host.rsctmp.glob("lvsdr-*.sock"))

    def await_watcher(self) -> int:
        """Wait until one watcher answers; return its process."""
        until(lambda: bool(list(self.host.rsctmp.glob("lvsdr-*.sock"))), "the socket")
        until(lambda: len(self.watchers) == 1, "one watcher")
        return self.watchers[0]

    def begin_watched(self) -> int:
        self.start()
        return self.await_watcher()

    def quick(self, directory: Path) -> bool:
        """Run a monitor; return whether it did without crm_mon."""
        log = directory / "asked"
        log.unlink(missing_ok=True)
        path = first_in_path(directory / "noting", "crm_mon", f": > {log}; {self.crm_mon}")
        result = self.monitor(PATH=path)
        assert result.exit_code == OK, result
        return not log.exists()


def until(condition: Callable[[], bool], name: str, seconds: float = SOON) -> float:
    """Wait until the condition holds; return the seconds that it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"waited {seconds:.0f} s for {name}"
        time.sleep(0.02)
    return time.monotonic() - begun


def pass_a_minute(lvs: Watched) -> None:
    """Let the last start of a watcher lie so far back that a monitor starts another one."""
    os.utime(next(lvs.host.rsctmp.glob("*.watcher-lock")), (0, 0))
    age_record(lvs)


def age_record(lvs: Watched) -> None:
    """Let the recorded watcher have had enough time to begin to listen."""
    for path in lvs.host.rsctmp.glob("*.watcher"):
        record = control.read_record(str(path))
        assert record is not None
        control.store_record(str(path), record._replace(begun=record.begun - 60))


def withdrawn(lvs: Watched) -> bool:
    """Test whether node3 gets no new connections."""
    return lvs.pool() in (DRAINED, DELETED)


def tidy(lvs: Watched) -> None:
    """Stop the resource: nothing but locks may be left."""
    lvs.stop()
    assert lvs.processes() == []
    left = {path.name for path in lvs.host.rsctmp.iterdir()}
    assert all(name.endswith("lock") for name in left), left


def _find_parent(pid: int) -> int | None:
    """Return the parent of a process (proc(5)); None if the process has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])
