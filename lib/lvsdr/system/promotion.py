"""Tell Pacemaker whether an instance of a promotable clone may be promoted (crm_attribute(8))."""

from __future__ import annotations

from ..errors import SourceUnavailable
from .run import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..deadline import Deadline

PROGRAM = "crm_attribute"
_WRONG_USAGE = 64  # CRM_EX_USAGE
_PATIENCE = 5.0  # seconds; it only hands the value over


def prefer(instance: str, score: int | None, deadline: Deadline) -> None:
    """Set the promotion score of ``instance`` on this node until it leaves; None removes it.

    Raises SourceUnavailable if Pacemaker did not take it.  The name is given because a bare
    ``--promotion`` swallows what follows it in some versions.
    """
    wish = ("--lifetime=reboot", "--delete" if score is None else f"--update={score}")
    result = run((PROGRAM, f"--promotion={instance}", *wish), deadline, timeout=_PATIENCE)
    if result.status == _WRONG_USAGE:
        # Pacemaker 2.0 does not have the option, and calls the attribute so (crm_master).
        result = run((PROGRAM, f"--name=master-{instance}", *wish), deadline, timeout=_PATIENCE)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"promotion score not set: {result.complaint()}")
