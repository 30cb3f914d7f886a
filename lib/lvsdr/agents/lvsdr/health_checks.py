"""The health checks of ``realserver_check``: opened for the watcher, or tried once.

Only these functions import the clients of the checks: a cycle does without them.
"""

from __future__ import annotations

from ...pool.check_history import Reply
from ...watcher.check_results import load_results
from .check_parameters import CHECK, read_check_settings, read_counting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...ocf.context import Context
    from ...ocf.parameters import Values
    from ...system.checks.counted_checks import CountedChecks
    from .cycle_checks import CheckTargets


def open_checks(values: Values, path: str) -> CountedChecks | None:
    """Return the checks with the counts of the file ``path``; None if no check is configured."""
    settings = read_check_settings(values)
    if settings is None:
        return None
    from ...system.checks.counted_checks import CountedChecks

    return CountedChecks(settings, read_counting(values), load_results(path))


def require_checks(values: Values) -> None:
    """Raise InvalidParameters or NotInstalled if the checks cannot be made on this node."""
    settings = read_check_settings(values)
    if settings is not None:
        from ...system.checks.running_checks import RunningChecks

        RunningChecks(settings).close()


def try_checks(context: Context, targets: CheckTargets) -> None:
    """Check each host once, and log each answer; one that is no success is a warning."""
    settings = read_check_settings(context.values)
    if settings is None:
        return
    from ...system.checks.single_run import run_once

    if not targets.addresses:
        context.log.warning(f"{CHECK.name}: there is no real server to try the check with")
    for host, result in run_once(settings, targets.addresses, context.deadline).items():
        log = context.log.info if result.reply is Reply.FIT else context.log.warning
        log(f"{host}: {result.reply.value}: {result.reason}")
