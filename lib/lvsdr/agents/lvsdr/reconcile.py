"""One cycle of the director.

A cycle loads the saved pool, gathers the findings, plans the pool, changes the kernel's table, logs
each change, and saves the pool for the next cycle.  ``reconcile_service`` keeps a running service
in order, for monitor and reload-agent.  ``establish_service`` is the first cycle of a service, for
start.

The other modules: ``findings`` only reads, ``pool_plan`` is pure, ``saved_pool`` is the state file.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from ...errors import KernelMismatch, NotRunning, SourceUnavailable
from ...ipvs.table import RealServerKey, Service, WantedService, is_serving, strip_counters
from ...ocf.context import Context, compute_budget
from ...pool.change_messages import Row, apply_actual_weights, describe_changes
from ...pool.director import Findings
from ...system import crm, ipvs, ipvs_proc, sysctl
from ...values.light_typing import NamedTuple
from . import owners
from .cycle_checks import CheckTargets, CycleChecks
from .findings import compute_script_time, gather_findings
from .kernel_settings import apply_idle_timeout, set_sysctls
from .pool_plan import (
    OwnInstance,
    PoolPlan,
    explain_ignorance,
    is_certain,
    list_undone_changes,
    plan_pool,
)
from .saved_pool import SavedPool, build_saved_pool, load_saved_pool, render_saved_pool
from .settings import DirectorSettings
from .unused import find_overlong_timeout

_STALE_AFTER = 1.0  # seconds after which crm_mon's answer is too old
_MANAGED_UNKNOWN = "it is not known whether the resource is managed"
_RETRY_DELAY = 1.0  # seconds between the queries of the first cycle


class CycleResult(NamedTuple):
    """The result of a cycle: the reasons why it is degraded, and the verdicts."""

    pool_reasons: tuple[str, ...]
    """The reasons why the pool is less than configured."""
    trouble: tuple[str, ...] = ()
    """The agent's own trouble: files or settings that it could not write."""
    rows: Sequence[Row] = ()
    drains: Mapping[RealServerKey, float] = {}
    """The time at which each withdrawn real server was withdrawn."""
    targets: CheckTargets | None = None
    """The hosts for the watcher to check; None if they are not known."""

    @property
    def all_reasons(self) -> tuple[str, ...]:
        return (*self.trouble, *self.pool_reasons)


def reconcile_service(context: Context, settings: DirectorSettings) -> CycleResult:
    """Run one cycle of a running service; raise NotRunning if the service is gone."""
    wait_start = time.monotonic()
    with context.hold_lock() as lock_problems:
        if time.monotonic() - wait_start > _STALE_AFTER:
            crm.end_crm_mon()  # it began before the wait: the cluster may have changed
        if ipvs_proc.find_service(settings.key) is None:
            raise NotRunning("the service was removed meanwhile")  # a monitor must not create it
        saved = load_saved_pool(context.build_path("state"))
        own_instance = OwnInstance(context.resource, context.node)
        early_pass = _EarlyPass(context, settings, saved)
        checks = CycleChecks(settings, context)
        findings = gather_findings(
            settings, saved, context.deadline, own_instance, early_pass, checks
        )
        count_problems = checks.save_counts()
        if context.action != "reload-agent" and findings.blind:  # a reload is of a managed one
            findings = findings._replace(hands_off_reason=_MANAGED_UNKNOWN)
        if findings.hands_off_reason is not None:
            draft = _draft_change(context, settings, findings, saved)
            undone = list_undone_changes(findings, draft.service, draft.plan)
            reasons, rows = (*undone, *lock_problems), draft.plan.decision.rows
            return CycleResult(reasons, count_problems, rows, targets=checks.targets)
        sysctl_warnings = (
            set_sysctls(context, settings) if sysctl.find_differing(settings.sysctls) else ()
        )
        last_pass = _change_pool(
            context, settings, findings, early_pass.saved, early_pass.withdrawn_keys
        )
        idle_warnings = apply_idle_timeout(context, settings)
    # The reason must not change from run to run: take the whole budget, not the time left.
    script_time = compute_script_time(compute_budget(context.environ))
    timeout_complaints = find_overlong_timeout(context.values, script_time)
    result = last_pass.result
    trouble = dict.fromkeys(
        (
            *(*early_pass.trouble, *result.trouble, *sysctl_warnings, *idle_warnings),
            *(*lock_problems, *count_problems),
        )
    )
    pool_reasons = (*result.pool_reasons, *timeout_complaints)
    return result._replace(
        pool_reasons=pool_reasons, trouble=tuple(trouble), targets=checks.targets
    )


def establish_service(context: Context, settings: DirectorSettings) -> CycleResult:
    """Run the first cycle of a service: own it, and create or adopt it."""
    with context.hold_lock():
        saved = load_saved_pool(context.build_path("state"))
        checks = CycleChecks(settings, context)
        findings = _await_findings(context, settings, saved, checks)
        context.log.warning(*set_sysctls(context, settings))
        with owners.own_service(context, settings.key, saved):
            result = _change_pool(context, settings, findings, saved).result
        context.log.warning(*apply_idle_timeout(context, settings))
        return result._replace(targets=checks.targets)


def _await_findings(
    context: Context, settings: DirectorSettings, saved: SavedPool, checks: CycleChecks
) -> Findings:
    """Repeat the query until the state of a real server is known; return the findings.

    Raise SourceUnavailable when the time is up.
    """
    while True:
        findings = gather_findings(settings, saved, context.deadline, checks=checks)
        checks.save_counts()
        reason = explain_ignorance(findings)
        if reason is None:
            return findings
        if context.deadline.remaining() < 2 * _RETRY_DELAY:
            raise SourceUnavailable(f"nothing is known of any real server: {reason}")
        time.sleep(_RETRY_DELAY)


class _EarlyPass:
    """The changes that are certain while some hosts have not answered yet."""

    def __init__(self, context: Context, settings: DirectorSettings, saved: SavedPool) -> None:
        self._context = context
        self._settings = settings
        self._saved_before = saved
        self.saved = saved
        """The state from now on, also if the state file cannot be written."""
        self.trouble: tuple[str, ...] = ()

    @property
    def withdrawn_keys(self) -> AbstractSet[RealServerKey]:
        """Return the real servers that this pass has withdrawn."""
        return self.saved.drains.keys() - self._saved_before.drains.keys()

    def __call__(self, findings: Findings) -> None:
        """Carry out the changes if they are certain."""
        if findings.hands_off_reason is not None:
            return
        context, settings = self._context, self._settings
        draft = _draft_change(context, settings, findings, self.saved, self.withdrawn_keys)
        if is_certain(draft.plan.decision):
            result = _execute_draft(context, settings, findings, self.saved, draft)
            self.saved, self.trouble = result.saved, result.result.trouble


class _Draft(NamedTuple):
    """The service as it is, and the plan for it; nothing is changed yet."""

    kernel: ipvs.Kernel
    service: Service | None
    plan: PoolPlan


class _PassResult(NamedTuple):
    """The result of one pass."""

    result: CycleResult
    saved: SavedPool
    """The state that the next pass needs of this one."""


def _draft_change(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    settling_keys: AbstractSet[RealServerKey] = frozenset(),
) -> _Draft:
    kernel = ipvs.Kernel(settings.key, settings.goal.forward, context.deadline)
    service = kernel.read_service(WantedService(settings.config, {}))
    plan = plan_pool(
        settings,
        findings,
        service,
        saved.drains,
        time.monotonic(),
        settling_keys,
        saved.enough_since,
    )
    return _Draft(kernel, service, plan)


def _change_pool(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    settling_keys: AbstractSet[RealServerKey] = frozenset(),
) -> _PassResult:
    """Change the table, log each change with its reason, and save the pool.

    ``settling_keys`` contains the real servers that an earlier pass of this cycle has withdrawn.
    """
    draft = _draft_change(context, settings, findings, saved, settling_keys)
    return _execute_draft(context, settings, findings, saved, draft)


def _execute_draft(
    context: Context,
    settings: DirectorSettings,
    findings: Findings,
    saved: SavedPool,
    draft: _Draft,
) -> _PassResult:
    kernel, service, (wanted, decision) = draft
    rows: Sequence[Row] = decision.rows
    refusals: tuple[str, ...] = ()
    if service is None or strip_counters(service) != wanted:
        try:
            kernel.apply_service(wanted)
        except KernelMismatch as error:
            # The kernel always refuses such an entry, for example one of a broadcast address.  A
            # restart, here or elsewhere, would only cut the connections of serving real servers.
            service = kernel.read_service(wanted)
            if not is_serving(service, wanted):
                raise
            rows, refusals = apply_actual_weights(rows, service), (str(error),)
    context.log.info(*describe_changes(rows))
    context.log.warning(*(note for note in findings.notes if note not in saved.notes))
    new_saved = build_saved_pool(settings.key, findings, decision, saved)
    trouble = context.save("state", render_saved_pool(new_saved)) if new_saved != saved else ()
    reasons = (*refusals, *decision.degraded)
    return _PassResult(
        CycleResult(reasons, trouble, rows, decision.drains),
        new_saved,
    )
