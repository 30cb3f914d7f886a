"""The agent lvsdr: a virtual service of the kernel's load balancer that follows the cluster."""

from __future__ import annotations

import time

from ... import __version__
from ...errors import (
    ExitCode,
    InvalidParameters,
    LvsdrError,
    NotRunning,
)
from ...ipvs.table import ServiceKey
from ...ocf import degradation
from ...ocf.actions import Action, guard_reload
from ...ocf.agent import Agent
from ...ocf.context import Context
from ...pacemaker.elements import require_lxml
from ...system import ipvs, ipvs_proc, small_files
from ...values.parsing import join_endpoint
from ...watcher import control
from ...watcher.facts import build_paths
from . import health_checks, owners, watching
from .environment import announce_unused_parameters, validate_environment
from .kernel_settings import release_idle_timeout
from .parameter_rules import PARAMETERS, SERVICE
from .reconcile import establish_service, reconcile_service
from .saved_pool import load_saved_pool
from .settings import DirectorSettings, read_service_key, read_settings
from .watching import Finished

_SESSIONS_END = (
    "virtual_service_options: scheduler dh refuses clients at weight 0, so a real server that is "
    "withdrawn or listed with weight 0 is deleted and its sessions end; sh and mh drain it"
)


def start(context: Context) -> None:
    """Start the service with its real servers, adopting existing ones; return when it is there."""
    settings = read_settings(context.values)
    announce_unused_parameters(context)
    context.require_root("change the IPVS table")
    context.require_binary("ipvsadm")
    require_lxml()
    health_checks.require_checks(context.values)
    ipvs.load_modules(settings.config.scheduler, context.deadline)
    if settings.goal.refuses_at_zero:
        context.log.warning(_SESSIONS_END)
    watching.end_watcher(context)
    watching.forget_counts(context)
    began = time.monotonic()
    result = establish_service(context, settings)
    degradation.update_reasons(context, result.all_reasons)
    watching.store_cycle(context, settings, Finished(began, result, result.all_reasons))
    watching.begin_watcher(context)


def monitor(context: Context) -> ExitCode | None:
    """Reconcile the table with the cluster; a probe only checks that the service is there."""
    is_running = _find_running_service(context) is not None
    if context.is_probe or not is_running:
        return ExitCode.SUCCESS if is_running else ExitCode.NOT_RUNNING
    try:
        settings = read_settings(context.values)
    except InvalidParameters as error:
        watching.end_watcher_process(context)  # it would go on with the former parameters
        return context.report_degradation(
            [f"{problem}: table left as it is" for problem in error.problems]
        )
    watching.end_failed_watcher(context)
    code, stored = _run_cycle(context, settings)
    if stored:
        watching.replace_failed_watcher(context)
    return code


def run_cycle(context: Context) -> ExitCode | None:
    """Run one cycle for the watcher, as monitor does."""
    if _find_running_service(context) is None:
        return ExitCode.NOT_RUNNING
    return _run_cycle(context, read_settings(context.values))[0]


def _run_cycle(context: Context, settings: DirectorSettings) -> tuple[ExitCode | None, bool]:
    """Run one cycle; return the exit code, and whether the result is stored."""
    context.require_root("change the IPVS table")
    began = time.monotonic()
    try:
        result = reconcile_service(context, settings)
    except Exception as error:
        watching.invalidate_cycle(context, getattr(error, "exit_code", ExitCode.ERR_GENERIC))
        if still_serves(context):
            _write_heartbeat(settings)
        raise
    bell_trouble = watching.read_bell_trouble(context)
    reasons = [*result.all_reasons, *_write_heartbeat(settings), *_explain(bell_trouble)]
    code = context.report_degradation(reasons)
    finished = Finished(began, result, reasons, bell_trouble)
    return code, watching.store_cycle(context, settings, finished)


def _explain(bell_trouble: str) -> tuple[str, ...]:
    if not bell_trouble:
        return ()
    return (f"{bell_trouble}: changes of the cluster reach the pool late, as with watch=false",)


def still_serves(context: Context) -> bool:
    """Test whether the service has a real server that gets connections."""
    key = _find_running_service(context)
    service = None if key is None else ipvs_proc.find_service(key)
    servers = {} if service is None else service.real_servers
    return any(server.config.weight > 0 for server in servers.values())


def _write_heartbeat(settings: DirectorSettings) -> tuple[str, ...]:
    """Write the heartbeat file; return the reason if that failed."""
    if settings.heartbeat_file is None:
        return ()
    try:
        small_files.write_heartbeat(settings.heartbeat_file)
    except OSError as error:
        return (f"heartbeat_file={settings.heartbeat_file}: {error.strerror}",)
    return ()


def reload_agent(context: Context) -> ExitCode | None:
    """Apply the current parameters in place."""
    settings = read_settings(context.values)
    announce_unused_parameters(context)
    context.require_root("change the IPVS table")
    if _find_running_service(context) is None:
        raise LvsdrError("there is no service to be reloaded")
    health_checks.require_checks(context.values)
    ipvs.load_modules(settings.config.scheduler, context.deadline)
    watching.end_watcher_process(context)  # its cycles would undo the change
    began = time.monotonic()
    try:
        result = reconcile_service(context, settings)
    except NotRunning as error:
        raise LvsdrError(str(error)) from None
    degradation.update_reasons(context, result.all_reasons)
    if watching.store_cycle(context, settings, Finished(began, result, result.all_reasons)):
        watching.begin_watcher(context)
    return context.report_degradation(result.trouble)


def watch(context: Context) -> None:
    """Have a cycle run at each change of the cluster, until the resource is stopped."""
    from ...watcher.loop import Watcher

    files = build_paths(context.environ, context.agent)
    checks = health_checks.open_checks(context.values, files.checks)
    Watcher(control.build_command("reconcile"), context.environ, files, checks=checks).run()


def stop(context: Context) -> None:
    """Delete the service, check that it is gone, and restore the kernel's settings."""
    watching.end_watcher(context)
    with context.hold_lock_to_stop():  # the ipvsadm of a killed start may still add the service
        key = _find_running_service(context)
        if key is not None:
            context.require_root("change the IPVS table")
            ipvs.Kernel(key, "gate", context.deadline).remove_service()
            context.log.info(
                f"{key.protocol} service {join_endpoint(key.address, key.port)} removed"
            )
    release_idle_timeout(context)
    context.release_sysctls()
    context.forget("state")
    watching.forget_counts(context)


def _find_running_service(context: Context) -> ServiceKey | None:
    """Return the started service if it is in the table and is not another resource's, else None."""
    key = _find_started_service(context)
    if (
        key is None
        or ipvs_proc.find_service(key) is None
        or owners.find_other_owner(context, key) is not None
    ):
        return None
    return key


def _find_started_service(context: Context) -> ServiceKey | None:
    """Return the service in the parameters; if they are broken, the one that start stored."""
    try:
        return read_service_key(SERVICE.parse(context.environ))
    except InvalidParameters:
        return load_saved_pool(context.build_path("state")).service


AGENT = Agent(
    name="lvsdr",
    version=__version__,
    short="LVS director: a virtual service whose real servers follow the cluster",
    long=(
        "Manages one virtual service of the kernel's IPVS load balancer. The real servers are the "
        "cluster nodes on which a resource runs, in a given role or with a given node attribute, "
        "or come from a static list or a script. Monitor updates the kernel's table accordingly. "
        "Established connections to real servers that did not fail survive every change."
    ),
    parameters=PARAMETERS,
    actions=(
        Action("start", start, "60s"),
        Action("stop", stop, "20s"),
        Action("monitor", monitor, "30s", interval="5s", depth="0"),
        Action("reload-agent", guard_reload(reload_agent, monitor), "30s"),
        Action("reconcile", run_cycle, "30s", advertised=False),
        Action("watch", watch, "30s", advertised=False),
    ),
    validate_environment=validate_environment,
    still_serves=still_serves,
    is_active=lambda context: _find_running_service(context) is not None,
)
