"""The effects of one cycle: kernel settings, the table, the log, and the state file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from ...errors import KernelMismatch, LvsdrError, NotRunning
from ...ipvs.table import RealServerKey, Service, WantedService, serves
from ...ipvs.table import settings as settled
from ...ocf.context import Context, budget
from ...pool.change_messages import Row, as_it_became, changes
from ...pool.director import Judged
from ...system import crm, ipvs, sysctl
from ...values.light_typing import NamedTuple
from . import judgement
from .saved_pool import Memory, recall, remembered, store
from .settings import Settings
from .unused import too_long

_STALE = 1.0  # seconds after which crm_mon's answer is too old


class Shortfall(NamedTuple):
    """The reasons why a cycle is degraded; none for a good one."""

    pool: tuple[str, ...]
    """The reasons why the pool is less than configured."""
    trouble: tuple[str, ...] = ()
    """The agent's own trouble: files or settings that it could not write."""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.trouble, *self.pool)


def reconcile(context: Context, wanted: Settings) -> Shortfall:
    """Run one cycle; raise NotRunning if the service is gone."""
    asked = time.monotonic()
    with context.locked() as unlocked:
        if time.monotonic() - asked > _STALE:
            crm.end_crm_mon()  # it began before the wait: the cluster may have changed
        if ipvs.find(wanted.key) is None:
            raise NotRunning("the service was removed meanwhile")  # a monitor must not create it
        memory = recall(context.file("state"))
        own = judgement.Own(context.resource, context.node)
        early = _EarlyPass(context, wanted, memory)
        judged = judgement.judge(wanted, memory, context.deadline, own, early)
        if context.action == "monitor" and judged.blind:  # Pacemaker reloads what is managed
            judged = judged._replace(hands_off="it is not known whether the resource is managed")
        if judged.hands_off is not None:
            return Shortfall((*_undone(context, wanted, judged, memory), *unlocked))
        unset = keep_sysctls(context, wanted) if sysctl.differing(wanted.sysctls) else ()
        pool, trouble = carry_out(context, wanted, judged, early.memory, early.withdrawn).shortfall
    # The reason must not change from run to run: take the whole budget, not the time left.
    scripts = too_long(context.values, judgement.time_for_scripts(budget(context.environ)))
    own_trouble = dict.fromkeys((*early.trouble, *trouble, *unset, *unlocked))
    return Shortfall((*pool, *scripts), tuple(own_trouble))


class _EarlyPass:
    """The changes that are certain while some hosts have not answered yet."""

    def __init__(self, context: Context, wanted: Settings, memory: Memory) -> None:
        self._context = context
        self._wanted = wanted
        self._before = memory
        self.memory = memory
        """The state from now on, also if the state file cannot be written."""
        self.trouble: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> AbstractSet[RealServerKey]:
        """Return the real servers that this pass has withdrawn."""
        return self.memory.drains.keys() - self._before.drains.keys()

    def __call__(self, judged: Judged) -> None:
        """Carry out the changes if they are certain."""
        if judged.hands_off is not None:
            return
        context, wanted = self._context, self._wanted
        draft = _draft(context, wanted, judged, self.memory, self.withdrawn)
        if judgement.is_certain(draft.plan.decision):
            done = _execute(context, wanted, judged, self.memory, draft)
            self.memory, self.trouble = done.memory, done.shortfall.trouble


class _Draft(NamedTuple):
    """The service as it is, and the plan for it; nothing is changed yet."""

    kernel: ipvs.Kernel
    service: Service | None
    plan: judgement.Plan


def _draft(
    context: Context,
    wanted: Settings,
    judged: Judged,
    memory: Memory,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> _Draft:
    kernel = ipvs.Kernel(wanted.key, wanted.goal.forward, context.deadline)
    service = kernel.service(WantedService(wanted.config, {}))
    return _Draft(kernel, service, judgement.plan(wanted, judged, service, memory, settling))


def _undone(context: Context, wanted: Settings, judged: Judged, memory: Memory) -> Iterator[str]:
    """Yield a sentence for each change that is left to the administrator."""
    _, service, planned = _draft(context, wanted, judged, memory)
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
    """The state that the next pass needs of this one."""


def carry_out(
    context: Context,
    wanted: Settings,
    judged: Judged,
    memory: Memory,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> Done:
    """Change the table, log each change with its reason, and store the state.

    ``settling`` contains the real servers that an earlier pass of this cycle has withdrawn.
    """
    draft = _draft(context, wanted, judged, memory, settling)
    return _execute(context, wanted, judged, memory, draft)


def _execute(
    context: Context, wanted: Settings, judged: Judged, memory: Memory, draft: _Draft
) -> Done:
    kernel, service, planned = draft
    rows: Sequence[Row] = planned.decision.rows
    refused: tuple[str, ...] = ()
    if service is None or settled(service) != planned.wanted:
        try:
            kernel.reach(planned.wanted)
        except KernelMismatch as error:
            # The kernel always refuses such an entry, for example one of a broadcast address.  A
            # restart, here or elsewhere, would only cut the connections of serving real servers.
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
    """Set the kernel's settings; return the warnings for the operator.

    Only start warns of a setting that is merely desirable and cannot be set, as in a container.
    Start raises LvsdrError if a setting is missing without which nothing can be forwarded.
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
