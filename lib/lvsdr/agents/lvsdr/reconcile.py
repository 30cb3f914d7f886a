"""One cycle of the director.

A cycle loads the saved pool, gathers the findings, plans the pool, changes the kernel's table, logs
each change, and saves the pool for the next cycle.  ``reconcile`` keeps a running service in order,
for monitor and reload-agent.  ``establish`` is the first cycle of a service, for start.

The other modules: ``findings`` only reads, ``pool_plan`` is pure, ``saved_pool`` is the state file.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from ...errors import KernelMismatch, LvsdrError, NotRunning, SourceUnavailable
from ...ipvs.table import RealServerKey, Service, WantedService, serves
from ...ipvs.table import settings as settled
from ...ocf.context import Context, compute_budget
from ...pool.change_messages import Row, as_it_became, changes
from ...pool.director import Findings
from ...system import crm, ipvs, sysctl
from ...values.light_typing import NamedTuple
from . import owners
from .findings import compute_script_time, gather_findings
from .pool_plan import (
    OwnInstance,
    PoolPlan,
    explain_ignorance,
    is_certain,
    list_undone,
    plan_pool,
)
from .saved_pool import SavedPool, build_saved_pool, load_saved_pool, render_saved_pool
from .settings import DirectorSettings
from .unused import find_overlong_timeout

_STALE = 1.0  # seconds after which crm_mon's answer is too old
_MANAGED_UNKNOWN = "it is not known whether the resource is managed"
_RETRY = 1.0  # seconds between the queries of the first cycle


class Shortfall(NamedTuple):
    """The reasons why a cycle is degraded; none for a good one."""

    pool: tuple[str, ...]
    """The reasons why the pool is less than configured."""
    trouble: tuple[str, ...] = ()
    """The agent's own trouble: files or settings that it could not write."""

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.trouble, *self.pool)


def reconcile(context: Context, settings: DirectorSettings) -> Shortfall:
    """Run one cycle of a running service; raise NotRunning if the service is gone."""
    began = time.monotonic()
    with context.locked() as unlocked:
        if time.monotonic() - began > _STALE:
            crm.end_crm_mon()  # it began before the wait: the cluster may have changed
        if ipvs.find_service(settings.key) is None:
            raise NotRunning("the service was removed meanwhile")  # a monitor must not create it
        saved = load_saved_pool(context.file("state"))
        own = OwnInstance(context.resource, context.node)
        early = _EarlyPass(context, settings, saved)
        findings = gather_findings(settings, saved, context.deadline, own, early)
        if context.action == "monitor" and findings.blind:  # Pacemaker reloads what is managed
            findings = findings._replace(hands_off=_MANAGED_UNKNOWN)
        if findings.hands_off is not None:
            draft = _draft_change(context, settings, findings, saved)
            return Shortfall((*list_undone(findings, draft.service, draft.plan), *unlocked))
        unset = set_sysctls(context, settings) if sysctl.find_differing(settings.sysctls) else ()
        done = _change_pool(context, settings, findings, early.saved, early.withdrawn)
    # The reason must not change from run to run: take the whole budget, not the time left.
    script_time = compute_script_time(compute_budget(context.environ))
    overlong = find_overlong_timeout(context.values, script_time)
    trouble = dict.fromkeys((*early.trouble, *done.shortfall.trouble, *unset, *unlocked))
    return Shortfall((*done.shortfall.pool, *overlong), tuple(trouble))


def establish(context: Context, settings: DirectorSettings) -> Shortfall:
    """Run the first cycle of a service: own it, and create or adopt it."""
    with context.locked():
        saved = load_saved_pool(context.file("state"))
        findings = _await_findings(context, settings, saved)
        context.log.warning(*set_sysctls(context, settings))
        with owners.own_service(context, settings.key, saved):
            return _change_pool(context, settings, findings, saved).shortfall


def _await_findings(context: Context, settings: DirectorSettings, saved: SavedPool) -> Findings:
    """Repeat the query until the state of a real server is known; return the findings.

    Raise SourceUnavailable when the time is up.
    """
    while True:
        findings = gather_findings(settings, saved, context.deadline)
        reason = explain_ignorance(findings)
        if reason is None:
            return findings
        if context.deadline.remaining() < 2 * _RETRY:
            raise SourceUnavailable(f"nothing is known of any real server: {reason}")
        time.sleep(_RETRY)


class _EarlyPass:
    """The changes that are certain while some hosts have not answered yet."""

    def __init__(self, context: Context, settings: DirectorSettings, saved: SavedPool) -> None:
        self._context = context
        self._settings = settings
        self._before = saved
        self.saved = saved
        """The state from now on, also if the state file cannot be written."""
        self.trouble: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> AbstractSet[RealServerKey]:
        """Return the real servers that this pass has withdrawn."""
        return self.saved.drains.keys() - self._before.drains.keys()

    def __call__(self, findings: Findings) -> None:
        """Carry out the changes if they are certain."""
        if findings.hands_off is not None:
            return
        context, settings = self._context, self._settings
        draft = _draft_change(context, settings, findings, self.saved, self.withdrawn)
        if is_certain(draft.plan.decision):
            done = _execute(context, settings, findings, self.saved, draft)
            self.saved, self.trouble = done.saved, done.shortfall.trouble


class _Draft(NamedTuple):
    """The service as it is, and the plan for it; nothing is changed yet."""

    kernel: ipvs.Kernel
    service: Service | None
    plan: PoolPlan


class _Done(NamedTuple):
    """The result of one pass."""

    shortfall: Shortfall
    saved: SavedPool
    """The state that the next pass needs of this one."""


def _draft_change(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> _Draft:
    kernel = ipvs.Kernel(settings.key, settings.goal.forward, context.deadline)
    service = kernel.read_service(WantedService(settings.config, {}))
    plan = plan_pool(settings, findings, service, saved.drains, time.monotonic(), settling)
    return _Draft(kernel, service, plan)


def _change_pool(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    settling: AbstractSet[RealServerKey] = frozenset(),
) -> _Done:
    """Change the table, log each change with its reason, and save the pool.

    ``settling`` contains the real servers that an earlier pass of this cycle has withdrawn.
    """
    draft = _draft_change(context, settings, findings, saved, settling)
    return _execute(context, settings, findings, saved, draft)


def _execute(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    draft: _Draft,
) -> _Done:
    kernel, service, (wanted, decision) = draft
    rows: Sequence[Row] = decision.rows
    refused: tuple[str, ...] = ()
    if service is None or settled(service) != wanted:
        try:
            kernel.apply_service(wanted)
        except KernelMismatch as error:
            # The kernel always refuses such an entry, for example one of a broadcast address.  A
            # restart, here or elsewhere, would only cut the connections of serving real servers.
            service = kernel.read_service(wanted)
            if not serves(service, wanted):
                raise
            rows, refused = as_it_became(rows, service), (str(error),)
    context.log.info(*changes(rows))
    now = build_saved_pool(settings.key, findings, decision, saved)
    trouble = context.save("state", render_saved_pool(now)) if now != saved else ()
    return _Done(Shortfall((*refused, *decision.degraded), trouble), now)


def set_sysctls(context: Context, settings: DirectorSettings) -> tuple[str, ...]:
    """Set the kernel's settings; return the warnings for the operator.

    Only start warns of a setting that is merely desirable and cannot be set, as in a container.
    Start raises LvsdrError if a setting is missing without which nothing can be forwarded.
    """
    claims = context.claim_sysctls(settings.sysctls)
    essential = [why for name, why in claims.unset.items() if name in settings.essential_sysctls]
    if context.action != "start":
        return tuple(s for s in claims.trouble if s in essential or s not in claims.unset.values())
    if essential:
        raise LvsdrError("; ".join(essential))
    return tuple(claims.trouble)
