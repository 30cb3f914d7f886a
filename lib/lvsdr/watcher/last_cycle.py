"""The stored result of the last cycle: for a monitor that finds nothing to do, and for operators.

The file exists from start to stop, so the watcher ends when it is gone.
"""

from __future__ import annotations

from ..system import small_files
from ..system.saved_facts import load_facts, render_facts
from ..values.facts import find_value, get_value
from ..values.light_typing import NamedTuple
from .facts import CYCLE, INTERVAL, TIMEOUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..values.facts import Facts

BELL_TROUBLE = "LVSDR_BELL_TROUBLE"
"""The variable with which the watcher gives its cycle the reason why it learns of no changes."""
_CANDIDATE, _RESERVE = "candidate", "reserve"


class Timing(NamedTuple):
    """The timing of the monitor in milliseconds, as Pacemaker passes it."""

    timeout: str
    """It limits scripts."""
    interval: str


USUAL = Timing("30000", "5000")
"""The advice of the agent for its monitor."""


class CheckTarget(NamedTuple):
    """A host for the watcher to check."""

    host: str
    address: str
    is_reserve: bool
    """True for a usable fallback that is no candidate."""


class LastCycle(NamedTuple):
    """The result of a cycle, and the conditions under which it holds."""

    version: str
    """The version of the library."""
    names: tuple[str, ...]
    """The names of the parameters that the digest covers."""
    digest: str
    timing: Timing
    """The timing of the last monitor that ran a cycle."""
    file: str
    """The fingerprint of CIB_file before crm_mon read it; empty in a live cluster."""
    began: float
    ended: float
    """Seconds on the monotonic clock of this boot."""
    wall: int
    """The end in seconds since 1970."""
    caller: str
    """The action that ran the cycle."""
    code: int
    """0, or 190 with reasons; any other code if the cycle failed."""
    due: float | None = None
    """The time on the monotonic clock at which the next cycle is due; None without haste."""
    bell_trouble: str = ""
    """The reason why the watcher does not learn of changes; empty if it does."""
    reasons: tuple[str, ...] = ()
    block: tuple[str, ...] = ()
    """The service as the kernel showed it at the end (ipvs.block)."""
    rows: tuple[str, ...] = ()
    """The verdicts: host, address, outcome, weight before, weight after, reason, as one text."""
    targets: tuple[CheckTarget, ...] = ()


def read_timing(environ: Mapping[str, str]) -> Timing:
    """Return the timing of the operation in an agent's environment."""
    return Timing(environ.get(TIMEOUT, ""), environ.get(INTERVAL, ""))


def replace_timing(environ: Mapping[str, str], timing: Timing) -> dict[str, str]:
    """Return the environment for a cycle that has as much time as a monitor with ``timing``."""
    return {**environ, TIMEOUT: timing.timeout, INTERVAL: timing.interval}


def read_cycle(path: str) -> LastCycle | None:
    """Return the result stored during this boot; None if the file is missing or malformed."""
    return load_facts(path, CYCLE, _parse)


def _parse(facts: Facts) -> LastCycle:
    return LastCycle(
        version=get_value(facts, "version"),
        names=tuple(get_value(facts, "names").split()),
        digest=get_value(facts, "digest"),
        timing=Timing(*get_value(facts, "timing").split(" ")),
        file=get_value(facts, "file"),
        began=float(get_value(facts, "began")),
        ended=float(get_value(facts, "ended")),
        wall=int(get_value(facts, "wall")),
        caller=get_value(facts, "caller"),
        code=int(get_value(facts, "code")),
        due=find_value(facts, "due", float),
        bell_trouble=get_value(facts, "bell_trouble"),
        reasons=tuple(facts.get("reason", ())),
        block=tuple(facts.get("line", ())),
        rows=tuple(facts.get("row", ())),
        targets=tuple(_parse_target(value) for value in facts.get("target", ())),
    )


def _parse_target(value: str) -> CheckTarget:
    role, address, host = value.split(" ")
    return CheckTarget(host, address, role == _RESERVE)


def store_cycle(path: str, cycle: LastCycle) -> None:
    """Write the result for the next reader; raise OSError."""
    small_files.replace(path, render_facts(CYCLE, _list_facts(cycle)), 0o600)


def _list_facts(cycle: LastCycle) -> Iterator[tuple[str, object]]:
    yield "version", cycle.version
    yield "names", cycle.names
    yield "digest", cycle.digest
    yield "timing", cycle.timing
    yield "file", cycle.file
    yield "began", cycle.began
    yield "ended", cycle.ended
    yield "wall", cycle.wall
    yield "caller", cycle.caller
    yield "code", cycle.code
    yield "due", cycle.due
    yield "bell_trouble", cycle.bell_trouble
    for name, values in (("reason", cycle.reasons), ("line", cycle.block), ("row", cycle.rows)):
        yield from ((name, value) for value in values)
    for host, address, is_reserve in cycle.targets:
        yield "target", (_RESERVE if is_reserve else _CANDIDATE, address, host)
