"""The promotion score of an instance of a promotable clone (crm_attribute(8))."""

from __future__ import annotations

from ..errors import SourceUnavailable
from .process.run import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..values.deadline import Deadline

PROGRAM = "crm_attribute"
_WRONG_USAGE = 64  # CRM_EX_USAGE
_PATIENCE = 5.0  # seconds; the program only passes the value on


def prefer(instance: str, score: int | None, deadline: Deadline) -> None:
    """Set the promotion score of ``instance`` on this node until it leaves; None removes it.

    Raises SourceUnavailable if Pacemaker did not accept the score.  The name is part of the option,
    because a bare ``--promotion`` consumes the next argument in some versions.
    """
    wish = ("--lifetime=reboot", "--delete" if score is None else f"--update={score}")
    result = run((PROGRAM, f"--promotion={instance}", *wish), deadline, timeout=_PATIENCE)
    if result.status == _WRONG_USAGE:
        # Pacemaker 2.0 lacks the option and uses this attribute name (crm_master).
        result = run((PROGRAM, f"--name=master-{instance}", *wish), deadline, timeout=_PATIENCE)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"promotion score not set: {result.complaint()}")
