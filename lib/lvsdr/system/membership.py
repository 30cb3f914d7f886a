"""Whether there is a cluster on this host at all, for those who can do without one."""

from __future__ import annotations

from ..deadline import Deadline
from ..errors import SourceUnavailable
from .crm import COMMAND
from .run import NOT_THERE, run

# No crm_mon, or one that says CRM_EX_DISCONNECT: Pacemaker is not running here.
_NO_CLUSTER = (NOT_THERE, 102)


def document(deadline: Deadline) -> bytes | None:
    """The document with the cluster's state, or None where there is no cluster.

    Raises SourceUnavailable if there may be one, but crm_mon does not say.
    """
    result = run(COMMAND, deadline)
    if result.status in _NO_CLUSTER:
        return None
    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.complaint()}")
    return result.stdout
