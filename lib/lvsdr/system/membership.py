"""The existence of a cluster on this host, for programs that can run without one."""

from __future__ import annotations

from ..errors import SourceUnavailable
from ..values.deadline import Deadline
from .crm import COMMAND
from .process.run import NOT_THERE, run

# No crm_mon, or its status CRM_EX_DISCONNECT: Pacemaker is not running here.
_NO_CLUSTER = (NOT_THERE, 102)


def document(deadline: Deadline) -> bytes | None:
    """Return the document with the cluster's state, or None without a cluster.

    Raises SourceUnavailable if there may be a cluster, but crm_mon gives no answer.
    """
    result = run(COMMAND, deadline)
    if result.status in _NO_CLUSTER:
        return None
    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.complaint()}")
    return result.stdout
