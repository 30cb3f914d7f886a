"""The log entries on degradations: one when a reason begins, and one when it ends.

A file of the resource keeps the last reasons, because every monitor is a new process.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ..errors import ExitCode
from ..system import small_files
from ..values.safe_text import format_one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .context import Context

_DEGRADED_CODES = (ExitCode.DEGRADED, ExitCode.DEGRADED_PROMOTED)
_GOOD_CODES = (ExitCode.SUCCESS, ExitCode.RUNNING_PROMOTED)
_KIND = "degraded"


def record_reasons(context: Context, code: ExitCode) -> None:
    """Log each reason that began or ended since the last monitor; keep them for the next one."""
    if context.action == "stop":
        if code is ExitCode.SUCCESS:
            context.forget(_KIND)
    elif context.action in ("monitor", "reconcile") and not context.is_probe:
        if code in _DEGRADED_CODES:
            update_reasons(context, context.log.reasons, logged=context.log.reasons_logged)
        elif code in _GOOD_CODES:
            update_reasons(context, ())


def update_reasons(context: Context, reasons: Sequence[str], *, logged: bool = False) -> None:
    """Log reasons that are new and not yet ``logged``, and the end of reasons that no longer hold.

    If the file cannot be written, the only consequence is repeated lines in the log.
    """
    path = context.build_path(_KIND)
    reasons = [format_one_line(reason) for reason in reasons]
    previous_reasons = small_files.read_text(path).splitlines()
    for reason in reasons if not logged else ():
        if reason not in previous_reasons:
            context.log.warning(reason)
    past_reasons = [reason for reason in previous_reasons if reason not in reasons]
    if past_reasons:
        ending = "no longer the case" if reasons else "well again; no longer the case"
        context.log.info(f"{ending}: {'; '.join(past_reasons)}")
    if past_reasons or set(previous_reasons) != set(reasons):
        _save_reasons(path, reasons)


def is_new_reason(context: Context, reason: str) -> bool:
    """Test whether the last monitor did not give this reason."""
    return (
        format_one_line(reason) not in small_files.read_text(context.build_path(_KIND)).splitlines()
    )


def _save_reasons(path: str, reasons: Sequence[str]) -> None:
    with suppress(OSError):
        if reasons:
            small_files.replace(path, "".join(f"{reason}\n" for reason in reasons), 0o600)
        else:
            small_files.remove(path)
