"""The effects of one cycle: kernel settings, the table, the log, and what is remembered."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from ...director import Judged
from ...errors import KernelMismatch, LvsdrError, NotRunning
from ...ipvs.table import RealServerKey, WantedService, serves
from ...ipvs.table import settings as settled
from ...ocf.context import Context, budget
from ...report import Row, as_it_became, changes
from ...system import crm, ipvs, sysctl
from ...typed import NamedTuple
from . import cycle
from .memory import Memory, recall, remembered, store
from .settings import Settings
from .unused import too_long

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
        early = _EarlyPass(context, wanted, memory)
        judged = cycle.judge(wanted, memory, context.deadline, own, early)
        if context.action == "monitor" and judged.blind:  # Pacemaker reloads what is managed
            judged = judged._replace(hands_off="it is not known whether the resource is managed")
        if judged.hands_off is not None:
            return Shortfall((*_undone(context, wanted, judged, memory), *unlocked))
        unset = keep_sysctls(context, wanted) if sysctl.differing(wanted.sysctls) else ()
        pool, trouble = carry_out(context, wanted, judged, early.memory, early.withdrawn).shortfall
    # The whole budget, not the time that was left: a reason must not change from run to run.
    scripts = too_long(context.values, cycle.time_for_scripts(budget(context.environ)))
    own_trouble = dict.fromkeys((*early.trouble, *trouble, *unset, *unlocked))
    return Shortfall((*pool, *scripts), tuple(own_trouble))


class _EarlyPass:
    """The changes that are certain while some hosts have not answered yet."""

    def __init__(self, context: Context, wanted: Settings, memory: Memory) -> None:
        self._context = context
        self._wanted = wanted
        self._before = memory
        self.memory = memory
        """What is remembered from now on, also where the state file cannot be written."""
        self.trouble: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> AbstractSet[RealServerKey]:
        """The real servers that this pass has withdrawn."""
        return self.memory.drains.keys() - self._before.drains.keys()

    def __call__(self, judged: Judged) -> None:
        """Carry the changes out, if they are certain."""
        if judged.hands_off is not None:
            return
        context, wanted = self._context, self._wanted
        kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
        service = kernel.service(WantedService(wanted.config, {}))
        planned = cycle.plan(wanted, judged, service, self.memory, self.withdrawn)
        if cycle.is_certain(planned.decision):
            done = carry_out(context, wanted, judged, self.memory, self.withdrawn)
            self.memory, self.trouble = done.memory, done.shortfall.trouble


def _undone(context: Context, wanted: Settings, judged: Judged, memory: Memory) -> Iterator[str]:
    """Yield a sentence for each change that is left to the administrator."""
    kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
    service = kernel.service(WantedService(wanted.config, {}))
    planned = cycle.plan(wanted, judged, service, memory)
    if judged.blind:
        yield from planned.decision.degraded
    if service is not None and service.config != wanted.config:
        yield f"options of the service left alone, because {judged.hands_off}"
    for row in planned.decision.rows:
        if row.before != row.after:
            change = f"{_weight(row.before)} instead of {_weight(row.after)}"
            yield f"{row.host} left with {change}, because {judged.hands_off}"


def _weight(weight: int | None) -> str:
    return "no entry" if weight is None else f"weight {weight}"


class Done(NamedTuple):
    """The result of one pass."""

    shortfall: Shortfall
    memory: Memory
    """What the next pass should know of this one."""


def carry_out(
    context: Context,
    wanted: Settings,
    judged: Judged,
    memory: Memory,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> Done:
    """Change the table, log each change with its reason, and remember.

    ``settling`` has the real servers that an earlier pass of this cycle has withdrawn.
    """
    kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
    service = kernel.service(WantedService(wanted.config, {}))
    planned = cycle.plan(wanted, judged, service, memory, settling)
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
    now = remembered(wanted.key, judged, planned.decision, memory)
    trouble = _remember(context, now, memory)
    return Done(Shortfall((*refused, *planned.decision.degraded), trouble), now)


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
