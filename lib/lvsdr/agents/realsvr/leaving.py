"""The query whether the cluster is taking this node out of service."""

from __future__ import annotations

from ...errors import SourceUnavailable
from ...pacemaker.crm_mon import parse
from ...system import crm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...values.deadline import Deadline

_ASKING = 5.0  # seconds


def is_leaving(name: str | None, deadline: Deadline) -> bool:
    """Test whether the node is on standby or shutting down; true if the cluster does not answer."""
    try:
        state = parse(crm.snapshot(deadline.sooner(_ASKING)))
    except SourceUnavailable:
        return True
    node = state.node(name or "")
    return node is None or node.standby or node.shutdown
