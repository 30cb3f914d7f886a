"""The query whether the cluster is taking this node out of service."""

from __future__ import annotations

from ...errors import NotInstalled, SourceUnavailable
from ...system import crm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...values.deadline import Deadline

_ASKING = 5.0  # seconds


def is_leaving(name: str | None, deadline: Deadline) -> bool:
    """Test whether the node is on standby or shutting down; true if the cluster does not answer."""
    try:
        state = crm.read_cluster_state(deadline.sooner(_ASKING))
    except (NotInstalled, SourceUnavailable):
        return True
    node = state.node(name or "")
    return node is None or node.standby or node.shutdown
