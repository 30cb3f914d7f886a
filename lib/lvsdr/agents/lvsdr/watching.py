"""The result of each cycle, stored for the next monitor, and the watcher of the resource."""

from __future__ import annotations

import time
from contextlib import suppress

from ... import __version__
from ...errors import ExitCode
from ...ipvs.text import find_spelling
from ...ocf.context import Context
from ...system import crm, ipvs_proc, small_files
from ...values.light_typing import NamedTuple
from ...values.safe_text import format_one_line
from ...watcher import control, last_cycle, quick
from ...watcher.facts import CHECKS, CYCLE, build_paths, digest_parameters
from ...watcher.last_cycle import USUAL, CheckTarget, LastCycle, Timing, read_cycle
from ...watcher.quick import find_block
from .cycle_checks import SCRIPT_COUNTS
from .parameter_rules import PARAMETERS, WATCH
from .reconcile import CycleResult
from .settings import DirectorSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...pool.change_messages import Row

_SOON = 5.0  # seconds; nothing announces the answer of a script or the end of a connection


class Finished(NamedTuple):
    """A cycle that has ended."""

    began: float
    """The begin on the monotonic clock."""
    result: CycleResult
    reasons: Sequence[str]
    """All reasons for a degradation."""
    bell_trouble: str = ""
    """The reason why the watcher does not learn of changes."""


def read_bell_trouble(context: Context) -> str:
    """Return the reason why the watcher does not learn of changes; empty if it does.

    A monitor knows it from the last cycle of the watcher.
    """
    if context.action == "reconcile":
        return context.environ.get(last_cycle.BELL_TROUBLE, "")
    last = read_cycle(build_paths(context.environ, context.agent).cycle)
    fails = not context.values[WATCH] or any(refusal.watcher_fails for refusal in quick.refusals)
    return "" if last is None or fails else last.bell_trouble


def store_cycle(context: Context, settings: DirectorSettings, finished: Finished) -> bool:
    """Store the result for the next monitor; return False if that failed.

    A monitor that was run by hand stores nothing: it may have read another cluster (CIB_file).
    """
    if context.action == "monitor" and not last_cycle.read_timing(context.environ).interval:
        return False
    path = build_paths(context.environ, context.agent).cycle
    last = read_cycle(path)
    if last is None and context.action == "reconcile":
        return False  # stop has removed it
    if last is not None and last.began > finished.began:
        return True  # this one was slower: the stored one has seen a later state
    try:
        last_cycle.store_cycle(path, _summarise(context, settings, finished, last))
    except OSError as error:
        context.log.debug(f"the result of the cycle is not stored: {error.strerror}")
        return False
    return True


def invalidate_cycle(context: Context, code: ExitCode) -> None:
    """Mark the stored result as failed: the next monitor and the watcher run a cycle soon."""
    path = build_paths(context.environ, context.agent).cycle
    last = read_cycle(path)
    if last is not None:
        due = time.monotonic() + _compute_delay(_choose_timing(context, last))
        with suppress(OSError):
            last_cycle.store_cycle(path, last._replace(code=int(code), due=due))


def begin_watcher(context: Context) -> None:
    """Start the watcher in the place of any other one, if the resource is to have one."""
    files = build_paths(context.environ, context.agent)
    if not context.values[WATCH]:
        control.end(files)
        return
    try:
        control.begin(files)
    except OSError as error:
        context.log.warning(f"the watcher is not started: {error.strerror}; each monitor goes on")


def end_failed_watcher(context: Context) -> None:
    """End a watcher that is dead, silent or outdated, before this monitor runs a cycle.

    A stopped cycle of it may hold the lock; one with other parameters would undo this one's work.
    """
    if any(refusal.watcher_fails for refusal in quick.refusals):
        control.end(build_paths(context.environ, context.agent))


def replace_failed_watcher(context: Context) -> None:
    """Start another watcher if this monitor found that it is dead, silent or outdated."""
    for refusal in quick.refusals:
        if not refusal.watcher_fails:
            context.log.debug(f"a whole cycle was run, because {refusal.reason}")
        elif control.may_begin_again(build_paths(context.environ, context.agent)):
            context.log.info(f"the watcher is started anew, because {refusal.reason}")
            begin_watcher(context)


def end_watcher(context: Context) -> None:
    """End the watcher; first remove the file without which it ends by itself."""
    context.forget(CYCLE)
    end_watcher_process(context)
    # Its last cycle may have been killed after it stored a result, or while it did.
    context.forget(CYCLE)
    small_files.remove_unfinished(context.build_path(CYCLE))


def forget_counts(context: Context) -> None:
    """Remove the counts of all health checks: they begin anew with the next start."""
    for kind in (CHECKS, SCRIPT_COUNTS):
        context.forget(kind)


def end_watcher_process(context: Context) -> None:
    """End the watcher; the stored result stays for the next one."""
    control.end(build_paths(context.environ, context.agent))


def _summarise(
    context: Context, settings: DirectorSettings, finished: Finished, last: LastCycle | None
) -> LastCycle:
    names = tuple(parameter.name for parameter in PARAMETERS)
    text = ipvs_proc.read_proc()
    timing = _choose_timing(context, last)
    return LastCycle(
        version=__version__,
        names=names,
        digest=digest_parameters(context.environ, names),
        timing=timing,
        file=crm.read_fingerprint(),
        began=finished.began,
        ended=time.monotonic(),
        wall=int(time.time()),
        caller=context.action,
        code=190 if finished.reasons else 0,
        due=_choose_due(settings, finished, timing),
        bell_trouble=format_one_line(finished.bell_trouble),
        reasons=tuple(format_one_line(reason) for reason in finished.reasons),
        block=find_block(text, find_spelling(text, settings.key)),
        rows=tuple(_format_row(row) for row in finished.result.rows),
        targets=_choose_targets(settings, finished, last),
    )


def _choose_targets(
    settings: DirectorSettings, finished: Finished, last: LastCycle | None
) -> tuple[CheckTarget, ...]:
    """Return the hosts for the watcher to check: those before, while a cycle does not know."""
    targets = finished.result.targets
    if not settings.check:
        return ()
    if targets is None:
        return () if last is None else last.targets
    return tuple(
        CheckTarget(host, address, host in targets.reserves)
        for host, address in targets.addresses.items()
    )


def _choose_timing(context: Context, last: LastCycle | None) -> Timing:
    """Return the timing of the monitors.

    A monitor knows it.  A cycle of the watcher leaves the stored one as it is, because a monitor
    may have stored another one since the cycle began.
    """
    if context.action == "reconcile" and last is not None:
        return last.timing
    timing = last_cycle.read_timing(context.environ)
    is_known = timing.timeout.isdecimal() and timing.interval.isdecimal()
    return timing if context.action == "monitor" and is_known else USUAL


def _choose_due(settings: DirectorSettings, finished: Finished, timing: Timing) -> float | None:
    """Return the time of the next cycle if no change of the cluster announces the need for it."""
    spec = settings.spec
    if not (finished.result.drains or finished.reasons or spec.list_script or spec.check_script):
        return None
    return finished.began + _compute_delay(timing)


def _compute_delay(timing: Timing) -> float:
    """Return the seconds until the next cycle of a service that may need one without a change."""
    return min(_SOON, int(timing.interval) / 1000)


def _format_row(row: Row) -> str:
    """Return the verdict on a real server: fields between tabs, weights empty for no entry."""
    address = "" if row.key is None else row.key.address
    weights = (
        "" if weight is None else str(weight) for weight in (row.weight_before, row.weight_after)
    )
    fields = (row.host, address, row.verdict.outcome.name, *weights, row.verdict.reason)
    return "\t".join(format_one_line(field) for field in fields)
