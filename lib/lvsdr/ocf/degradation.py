"""The log entries on degradations: one when a reason begins, and one when it ends.

A file of the resource keeps the last reasons, because every monitor is a new process.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..errors import ExitCode
from ..system import small_files
from .safe_text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .context import Context

_DEGRADED = (ExitCode.DEGRADED, ExitCode.DEGRADED_PROMOTED)
_WELL = (ExitCode.SUCCESS, ExitCode.RUNNING_PROMOTED)
_KIND = "degraded"


def record(context: Context, code: ExitCode) -> None:
    """Log each reason that began or ended since the last monitor; keep them for the next one."""
    if context.action == "stop":
        if code is ExitCode.SUCCESS:
            context.forget(_KIND)
    elif context.action == "monitor" and not context.is_probe:
        if code in _DEGRADED:
            update(context, context.log.reasons, logged=context.log.reasons_logged)
        elif code in _WELL:
            update(context, ())


def update(context: Context, reasons: Sequence[str], *, logged: bool = False) -> None:
    """Log reasons that are new and not yet ``logged``, and the end of reasons that no longer hold.

    If the file cannot be written, the only consequence is repeated lines in the log.
    """
    path = context.file(_KIND)
    reasons = [one_line(reason) for reason in reasons]
    before = small_files.read_text(path).splitlines()
    for reason in reasons if not logged else ():
        if reason not in before:
            context.log.warning(reason)
    over = [reason for reason in before if reason not in reasons]
    if over:
        again = "no longer the case" if reasons else "well again; no longer the case"
        context.log.info(f"{again}: {'; '.join(over)}")
    if over or set(before) != set(reasons):
        _save(path, reasons)


def is_new(context: Context, reason: str) -> bool:
    """Test whether the last monitor did not give this reason."""
    return one_line(reason) not in small_files.read_text(context.file(_KIND)).splitlines()


def _save(path: str, reasons: Sequence[str]) -> None:
    with suppress(OSError):
        if reasons:
            small_files.replace(path, "".join(f"{reason}\n" for reason in reasons), 0o600)
        else:
            small_files.remove(path)
