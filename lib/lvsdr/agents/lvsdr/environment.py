"""The requirements on a node that may be the director: validate-all at level 10."""

from __future__ import annotations

import os

from ...errors import BadArgument, NotInstalled
from ...ocf.context import Context
from ...pacemaker.elements import require_lxml
from ...system import small_files
from .check_parameters import find_unused_check_settings
from .cycle_checks import CycleChecks
from .findings import gather_findings
from .health_checks import require_checks, try_checks
from .pool_plan import explain_ignorance
from .saved_pool import SavedPool
from .settings import read_settings
from .unused import find_ineffective_parameters, find_unused_parameters


def validate_environment(context: Context) -> None:
    """Raise LvsdrError if this node lacks programs, scripts, directories, or the resource."""
    settings = read_settings(context.values)
    announce_unused_parameters(context)
    for program in ("ipvsadm", "crm_mon"):
        context.require_binary(program)
    require_lxml()
    for script in (settings.spec.list_script, settings.spec.check_script):
        if script is not None and not context.has_binary(script.argv[0]):
            raise NotInstalled(f"script {script.argv[0]} is not there, or not executable")
    if settings.heartbeat_file is not None:
        _require_heartbeat_file(settings.heartbeat_file)
    require_checks(context.values)
    checks = CycleChecks(settings)
    findings = gather_findings(settings, SavedPool(), context.deadline, checks=checks)
    if checks.targets is not None:
        try_checks(context, checks.targets)
    reason = explain_ignorance(findings)
    if reason is not None:
        raise BadArgument(f"no real server is known: {reason}")


def _require_heartbeat_file(path: str) -> None:
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise BadArgument(f"heartbeat_file={path}: no directory {directory}")
    try:
        small_files.require_regular(path)
    except OSError as error:
        raise BadArgument(f"heartbeat_file={path}: {error.strerror}") from None


def announce_unused_parameters(context: Context) -> None:
    """Log a warning for each parameter that was set and has no effect."""
    context.log.warning(
        *find_unused_parameters(context.values),
        *find_unused_check_settings(context.values),
        *find_ineffective_parameters(context.values),
    )
