"""The monitor that finds nothing to do: it forks nothing and imports little.

It trusts nothing.  The stored result must be fresh and of the same parameters and version, the
watcher must answer, and the kernel must show the service with the pool that was left.  In every
other case, the monitor runs a cycle itself.
"""

from __future__ import annotations

import sys
import time

from .. import __version__
from ..system.local_socket import ask
from ..system.saved_facts import load_facts
from ..system.small_files import compute_fingerprint
from .facts import CYCLE, INTERVAL, TIMEOUT, WATCHER, Paths, build_paths, digest_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..values.facts import Facts

FRESH = 15.0  # seconds; the watcher has a cycle run every ten
STARTING = 10.0  # seconds for a new watcher to listen
PATIENCE = 1.0  # seconds for the answer of the watcher
_SWITCH = "OCF_RESKEY_watch"
_OFF = ("false", "no", "off", "0")
_TRACING = ("OCF_RESKEY_trace_ra", "OCF_TRACE_RA")
_HEARTBEATS = ("OCF_RESKEY_heartbeat_file", "OCF_RESKEY_heatbeat_file")
_FILE = "CIB_file"
_HOLDS = ("0", "190")
_PROC = "/proc/net/ip_vs"
_HEADER = 3  # lines before the first service
_SERVER = "->"
_SETTINGS = 4  # words of a real server's line before the counts of connections


class Refusal(Exception):
    """The reason why the stored result is not enough.

    ``watcher_fails`` is true if the watcher is dead, silent or outdated, and has to be replaced.
    """

    def __init__(self, reason: str, *, watcher_fails: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.watcher_fails = watcher_fails


refusals: list[Refusal] = []
"""The reason why this monitor has to run a cycle itself; empty if there is no watcher to ask."""


def is_watched(environ: Mapping[str, str]) -> bool:
    """Test whether the resource has a watcher: it has one by default."""
    return environ.get(_SWITCH, "").strip().lower() not in _OFF


def answer(environ: Mapping[str, str], agent: str) -> int | None:
    """Return the exit code of a monitor that finds nothing to do; None if it must run a cycle."""
    if not is_watched(environ) or any(environ.get(name) for name in _TRACING):
        return None
    try:
        last = confirm_last_cycle(environ, build_paths(environ, agent), time.monotonic())
        _write_heartbeat(environ)
        _report(last.get("reason", ()), environ)
        return int(last["code"][0])
    except Refusal as refusal:
        refusals.append(refusal)
        return None


def confirm_last_cycle(environ: Mapping[str, str], files: Paths, now: float) -> Facts:
    """Return the facts of the last cycle if they hold without doubt; raise Refusal.

    ``now`` is the time of the monotonic clock.  Raise LookupError or ValueError for a file with
    other facts than a cycle stores.
    """
    last = load_facts(files.cycle, CYCLE, dict)
    if not last:
        raise Refusal("no result of a cycle is stored", watcher_fails=True)
    if last["version"] != [__version__]:
        raise Refusal("the last cycle was run by another version", watcher_fails=True)
    digest = digest_parameters(environ, last["names"][0].split())
    if last["digest"] != [digest]:
        raise Refusal("the last cycle had other parameters", watcher_fails=True)
    _require_watcher(files, digest)
    if last["timing"] != [f"{environ.get(TIMEOUT, '')} {environ.get(INTERVAL, '')}"]:
        raise Refusal("the last cycle had another timeout or interval")
    age = now - float(last["began"][0])
    if not 0 <= age <= FRESH:
        raise Refusal(f"the last cycle began {age:.0f} s ago")
    if last["file"] != [compute_fingerprint(environ.get(_FILE, ""))]:
        raise Refusal("CIB_file was written after the last cycle")
    if last["code"][0] not in _HOLDS:
        raise Refusal(f"the last cycle failed with exit code {last['code'][0]}")
    if not last.get("line") or last["line"] != _read_block(last["line"][0]):
        raise Refusal("the kernel's table is not as the last cycle left it")
    return last


def format_line(digest: str) -> str:
    """Return the line with which a watcher of these parameters answers."""
    return f"lvsdr {__version__} {digest}\n"


def _require_watcher(files: Paths, digest: str) -> None:
    known = load_facts(files.record, WATCHER, dict)
    if not known:
        raise Refusal("no watcher runs", watcher_fails=True)
    try:
        line, pid, uid = ask(files.socket, PATIENCE)
    except OSError as error:
        if _is_starting(known):
            raise Refusal("the watcher does not listen yet") from None
        reason = f"the watcher does not answer: {error.strerror or error}"
        raise Refusal(reason, watcher_fails=True) from None
    if uid != 0 or known["pid"] != [str(pid)]:
        raise Refusal(f"process {pid} answers in the place of the watcher", watcher_fails=True)
    if line != format_line(digest):
        reason = "the watcher has another version or other parameters"
        raise Refusal(reason, watcher_fails=True)


def _is_starting(record: Facts) -> bool:
    """Test whether the recorded process runs, and began a short time ago."""
    from ..system.process.identity import Process, is_running

    process = Process(int(record["pid"][0]), int(record["started"][0]))
    return time.monotonic() - float(record["begun"][0]) < STARTING and is_running(process)


def _read_block(header: str) -> list[str]:
    try:
        with open(_PROC, encoding="utf-8") as file:  # Python has this codec loaded
            return list(find_block(file.read(), tuple(header.split()[:2])))
    except OSError:
        return []


def _write_heartbeat(environ: Mapping[str, str]) -> None:
    """Write the heartbeat file, whose path the last cycle has found to be legal."""
    path = next((environ[name] for name in _HEARTBEATS if environ.get(name)), "none")
    if path == "none":
        return
    from ..system import small_files

    try:
        small_files.write_heartbeat(path)
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}") from None


def _report(reasons: Sequence[str], environ: Mapping[str, str]) -> None:
    """Print the reasons for Pacemaker, as ``ocf.log`` does."""
    if not reasons:
        return
    prefix = environ.get("OCF_EXIT_REASON_PREFIX") or "ocf-exit-reason:"
    lines = reasons if len(reasons) > 1 else ()
    try:
        sys.stderr.write("\n".join([*lines, prefix + "; ".join(reasons), ""]))
    except (OSError, ValueError, AttributeError):
        return  # the reader has gone, or standard error is closed


def find_block(text: str, name: tuple[str, ...]) -> tuple[str, ...]:
    """Return the service's line and, sorted, those of its real servers; empty without the service.

    ``name`` is the protocol and the end point in the kernel's spelling: the first two words of the
    service's line.

    >>> text = "IP Virtual Server\\nProt ...\\n  -> ...\\n" + (
    ...     "TCP  0A4D0064:1538 rr \\n  -> 0A4D0015:1538      Route   1      7          2\\n")
    >>> find_block(text, ("TCP", "0A4D0064:1538"))
    ('TCP 0A4D0064:1538 rr', '-> 0A4D0015:1538 Route 1')
    """
    header, servers = "", []
    for line in text.splitlines()[_HEADER:]:
        words = line.split()
        if words[:1] != [_SERVER]:
            if header:
                break
            header = " ".join(words) if tuple(words[:2]) == name else ""
        elif header:
            servers.append(" ".join(words[:_SETTINGS]))
    return (header, *sorted(servers)) if header else ()
