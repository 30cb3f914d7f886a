"""The effects of one cycle: kernel settings, the table, the log, and what is remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from ...director import Judged
from ...errors import KernelMismatch, LvsdrError, NotRunning
from ...ipvs.table import WantedService, serves
from ...ipvs.table import settings as settled
from ...ocf.context import Context, budget
from ...report import Row, as_it_became, changes
from ...system import crm, ipvs, sysctl
from ...typed import NamedTuple
from . import cycle
from .memory import Memory, recall, store
from .settings import Settings
from .unused import too_long

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

_STALE = 1.0  # seconds after which an answer of crm_mon is too old


class Shortfall(NamedTuple):
    """The reasons why a cycle is degraded; none for a good one."""

    pool: tuple[str, ...]
    """The reasons why the pool is less than what was asked for."""
    trouble: tuple[str, ...] = ()
    """The trouble of the agent's own: a file or a setting that it could not write."""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.trouble, *self.pool)


def reconcile(context: Context, wanted: Settings) -> Shortfall:
    """Run one cycle; raises NotRunning if the service is gone."""
    asked = time.monotonic()
    with context.locked() as unlocked:
        if time.monotonic() - asked > _STALE:
            crm.abandon()  # begun before the wait: the cluster may have changed since
        if ipvs.find(wanted.key) is None:
            raise NotRunning("the service was removed meanwhile")  # never to be made by a monitor
        memory = recall(context.file("state"))
        own = cycle.Own(context.resource, context.node)
        judged = cycle.judge(wanted, memory, context.deadline, own, _early(context, wanted))
        if judged.hands_off is not None:
            return Shortfall((*_undone(context, wanted, judged, memory), *unlocked))
        unset = keep_sysctls(context, wanted) if sysctl.differing(wanted.sysctls) else ()
        memory = recall(context.file("state"))  # as the early pass has left it
        pool, trouble = carry_out(context, wanted, judged, memory)
    # The whole budget, not the time that was left: a reason must not change from run to run.
    scripts = too_long(context.values, cycle.time_for_scripts(budget(context.environ)))
    return Shortfall((*pool, *scripts), (*trouble, *unset, *unlocked))


def _early(context: Context, wanted: Settings) -> Callable[[Judged], None]:
    """Return what carries out what is certain while some hosts have not answered yet."""

    def act(judged: Judged) -> None:
        if judged.hands_off is not None:
            return
        memory = recall(context.file("state"))
        kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
        service = kernel.service(WantedService(wanted.config, {}))
        if cycle.is_certain(cycle.plan(wanted, judged, service, memory).decision):
            carry_out(context, wanted, judged, memory)

    return act


def _undone(context: Context, wanted: Settings, judged: Judged, memory: Memory) -> Iterator[str]:
    """Yield a sentence for each change that is left to the administrator."""
    kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
    service = kernel.service(WantedService(wanted.config, {}))
    planned = cycle.plan(wanted, judged, service, memory)
    if service is not None and service.config != wanted.config:
        yield f"options of the service left alone, because {judged.hands_off}"
    for row in planned.decision.rows:
        if row.before != row.after:
            change = f"{_weight(row.before)} instead of {_weight(row.after)}"
            yield f"{row.host} left with {change}, because {judged.hands_off}"


def _weight(weight: int | None) -> str:
    return "no entry" if weight is None else f"weight {weight}"


def carry_out(context: Context, wanted: Settings, judged: Judged, memory: Memory) -> Shortfall:
    """Change the table, log each change with its reason, and remember."""
    kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
    service = kernel.service(WantedService(wanted.config, {}))
    planned = cycle.plan(wanted, judged, service, memory)
    rows: Sequence[Row] = planned.decision.rows
    refused: tuple[str, ...] = ()
    if service is None or settled(service) != planned.wanted:
        try:
            kernel.reach(planned.wanted)
        except KernelMismatch as error:
            # A restart, here or elsewhere, would cost those who serve their connections and change
            # nothing: what the kernel refuses once, a broadcast address, say, it always does.
            service = kernel.service(planned.wanted)
            if not serves(service, planned.wanted):
                raise
            rows, refused = as_it_became(rows, service), (str(error),)
    for sentence in changes(rows):
        context.log.info(sentence)
    now = cycle.remembered(wanted, judged, planned.decision, memory)
    trouble = _remember(context, now, memory)
    return Shortfall((*refused, *planned.decision.degraded), trouble)


def _remember(context: Context, now: Memory, before: Memory) -> tuple[str, ...]:
    if now != before:
        try:
            store(context.file("state"), now)
        except OSError as error:
            return (f"cannot write {context.file('state')}: {error.strerror}",)
    return ()


def keep_sysctls(context: Context, wanted: Settings) -> tuple[str, ...]:
    """Set the kernel's settings; returns what an operator should know of them.

    One that is only desirable, and cannot be set, as in a container, is a warning of start alone.
    Raises LvsdrError at start if nothing could be forwarded without one.
    """
    claims = context.claims()
    for sentence in claims.claim(wanted.sysctls):
        context.log.info(sentence)
    essential = [why for name, why in claims.unset.items() if name in wanted.essential_sysctls]
    if context.action != "start":
        return tuple(s for s in claims.trouble if s in essential or s not in claims.unset.values())
    if essential:
        raise LvsdrError("; ".join(essential))
    return tuple(claims.trouble)
