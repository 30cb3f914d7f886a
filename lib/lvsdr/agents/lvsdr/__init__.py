"""The agent lvsdr: a virtual service of the kernel's load balancer that follows the cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from ... import __version__
from ...director import Judged
from ...errors import (
    BadArgument,
    Busy,
    Exhausted,
    ExitCode,
    InvalidParameters,
    KernelMismatch,
    LvsdrError,
    NotInstalled,
    NotRunning,
    SourceUnavailable,
)
from ...ipvs.table import ServiceKey, WantedService, serves
from ...ipvs.table import settings as settled
from ...ipvs.text import endpoint
from ...ocf.agent import Action, Agent
from ...ocf.context import Context
from ...ocf.reload import unless_broken
from ...report import Row, as_it_became, changes
from ...system import crm, ipvs, state, sysctl
from . import cycle
from .legality import PARAMETERS, SERVICE
from .memory import Memory, recall, store
from .settings import Settings, service_key, settings

_STALE = 1.0  # seconds after which an answer of crm_mon is too old
_RETRY = 1.0  # seconds between attempts of start to learn something


def start(context: Context) -> None:
    """Return when the service is there with its real servers; adopt what is there already."""
    wanted = settings(context.values)
    context.require_root("change the IPVS table")
    context.require_binary("ipvsadm")
    ipvs.load(wanted.config.scheduler, context.deadline)
    with _locked(context):
        memory = recall(context.file("state"))
        judged = _patiently_judged(context, wanted, memory)
        _keep_sysctls(context, wanted)
        _carry_out(context, wanted, judged, memory)


def _patiently_judged(context: Context, wanted: Settings, memory: Memory) -> Judged:
    """Ask until somebody knows who could serve; raises SourceUnavailable when time is up."""
    while True:
        judged = cycle.judge(wanted, memory, context.deadline)
        reason = cycle.nothing_known(judged)
        if reason is None:
            return judged
        if context.deadline.remaining() < 2 * _RETRY:
            raise SourceUnavailable(f"nothing is known of any real server: {reason}")
        time.sleep(_RETRY)


def monitor(context: Context) -> ExitCode | None:
    """Reconcile the table with the cluster; a probe only looks whether the service is there."""
    key = _started(context)
    running = key is not None and key in ipvs.table()
    if context.is_probe or not running:
        return ExitCode.SUCCESS if running else ExitCode.NOT_RUNNING
    try:
        wanted = settings(context.values)
    except InvalidParameters as error:
        return _degraded(context, [f"table left as it is: {error}"])
    context.require_root("change the IPVS table")
    try:
        degraded = _reconcile(context, wanted)
    except (Busy, Exhausted) as error:
        degraded = [f"table left as it is: {error}"]
    degraded = [*degraded, *_beat(context, wanted)]
    return _degraded(context, degraded) if degraded else None


def _beat(context: Context, wanted: Settings) -> Iterator[str]:
    """Write the heartbeat file; a service is not restarted for a file that cannot be written."""
    if wanted.heartbeat_file is not None:
        try:
            state.replace(wanted.heartbeat_file, f"{int(time.time())}\n", 0o644)
        except OSError as error:
            reason = f"heartbeat_file={wanted.heartbeat_file}: {error.strerror}"
            context.log.warning(reason)
            yield reason


def reload_agent(context: Context) -> None:
    """Apply the parameters as they are now, in place."""
    wanted = settings(context.values)
    context.require_root("change the IPVS table")
    if wanted.key not in ipvs.table():
        raise LvsdrError("there is no service to be reloaded")
    ipvs.load(wanted.config.scheduler, context.deadline)
    with _locked(context):
        _keep_sysctls(context, wanted)
    try:
        _reconcile(context, wanted)
    except NotRunning as error:
        raise LvsdrError(str(error)) from None


def stop(context: Context) -> None:
    """Delete the service, see that it is gone, and put the kernel's settings back."""
    path = context.file("state")
    key = _started(context)
    if key is not None and key in ipvs.table():
        context.require_root("change the IPVS table")
        with _locked(context):
            ipvs.Kernel(key, "gate", context.deadline).remove()
        context.log.info(f"{key.protocol} service {endpoint(key.address, key.port)} removed")
    for sentence in sysctl.Claims(context.rsctmp, context.instance, context.deadline).release():
        context.log.info(sentence)
    state.remove(path)


def validate_environment(context: Context) -> None:
    """Whether this node can run the resource: programs, scripts, directories, the resource."""
    wanted = settings(context.values)
    for program in ("ipvsadm", "crm_mon"):
        context.require_binary(program)
    for script in (wanted.spec.list_script, wanted.spec.check_script):
        if script is not None and not context.have_binary(script.argv[0]):
            raise NotInstalled(f"script {script.argv[0]} is not there, or not executable")
    if wanted.heartbeat_file is not None:
        directory = os.path.dirname(wanted.heartbeat_file)
        if not os.path.isdir(directory):
            raise BadArgument(f"heartbeat_file={wanted.heartbeat_file}: no directory {directory}")
    judged = cycle.judge(wanted, Memory(), context.deadline)
    reason = cycle.nothing_known(judged)
    if reason is not None:
        raise BadArgument(f"no real server is known: {reason}")


def _reconcile(context: Context, wanted: Settings) -> Sequence[str]:
    """One cycle; returns why the pool is less than what was asked for."""
    asked = time.monotonic()
    with _locked(context):
        if time.monotonic() - asked > _STALE:
            crm.abandon()  # begun before the wait: the cluster may have changed since
        if wanted.key not in ipvs.table():
            raise NotRunning("the service was removed meanwhile")  # never to be made by a monitor
        memory = recall(context.file("state"))
        judged = cycle.judge(wanted, memory, context.deadline)
        if sysctl.differing(wanted.sysctls):
            _keep_sysctls(context, wanted)
        return _carry_out(context, wanted, judged, memory)


def _carry_out(context: Context, wanted: Settings, judged: Judged, memory: Memory) -> Sequence[str]:
    """Change the table, say what changed and why, and remember."""
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
    now = now._replace(degraded=(*refused, *now.degraded))
    for reason in now.degraded:
        if reason not in memory.degraded:
            context.log.warning(reason)
    return now.degraded + _remember(context, now, memory)


def _remember(context: Context, now: Memory, before: Memory) -> tuple[str, ...]:
    if now != before:
        try:
            store(context.file("state"), now)
        except OSError as error:
            context.log.warning(f"cannot write {context.file('state')}: {error.strerror}")
            return (f"cannot remember anything: {error.strerror}",)
    return ()


def _keep_sysctls(context: Context, wanted: Settings) -> None:
    claims = sysctl.Claims(context.rsctmp, context.instance, context.deadline)
    for sentence in claims.claim(wanted.sysctls):
        context.log.info(sentence)


def _started(context: Context) -> ServiceKey | None:
    """The service that the parameters name; what start was given, if they are broken by now."""
    try:
        return service_key(SERVICE.parse(context.environ))
    except InvalidParameters:
        return recall(context.file("state")).service


def _degraded(context: Context, reasons: Sequence[str]) -> ExitCode:
    """Running, but less than asked for: crm_mon shows the operator this sentence.

    The log had it when it was new.
    """
    context.log.exit_reason("; ".join(reasons), logged=False)
    return ExitCode.DEGRADED


def _locked(context: Context) -> AbstractContextManager[None]:
    return state.locked(context.file("lock"), context.deadline)


AGENT = Agent(
    name="lvsdr",
    version=__version__,
    short="LVS director: a virtual service whose real servers follow the cluster",
    long=(
        "Manages one virtual service of the kernel's IPVS load balancer. Who is a real server is "
        "read from the cluster itself: the nodes where a resource runs, in which role, with which "
        "node attribute; or comes from a static list or a script. Monitor brings the kernel's "
        "table in line with what it finds; established connections to real servers that did not "
        "fail survive every change."
    ),
    parameters=PARAMETERS,
    actions=(
        Action("start", start, "60s"),
        Action("stop", stop, "20s"),
        Action("monitor", monitor, "30s", interval="5s", depth="0"),
        Action("reload-agent", unless_broken(reload_agent, monitor), "30s"),
    ),
    validate_environment=validate_environment,
)
