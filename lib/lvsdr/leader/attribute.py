"""A node attribute of Pacemaker, for clusters that need no other store.

The node leads if the attribute has the value on this node alone, and this part of the cluster has
quorum.  The view of other nodes in a part without quorum is outdated.
"""

from __future__ import annotations

from time import monotonic

from ..errors import SourceUnavailable
from ..pacemaker.cluster import ClusterState
from ..pacemaker.crm_mon import attribute_name
from ..system import crm
from ..system.net.first_answer import Bell
from ..values.deadline import Deadline
from .gate import Answer, Leadership, State
from .settings import Kind, StoreSettings

_POLL = 1.0  # seconds between two queries, each of which starts a process


def _parse_name(text: str | None) -> str:
    if text is None:
        raise ValueError("must be set: the name of the node attribute")
    return attribute_name(text)


def _parse_value(text: str | None, _node: str) -> str:
    if text is None:
        raise ValueError("must be set: the value of the node attribute on the node that leads")
    return text


KIND = Kind(port=None, parse_key=_parse_name, parse_value=_parse_value)


class Attribute:
    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings

    def look(self, deadline: Deadline, _bell: Bell) -> Answer:
        queried_at = monotonic()
        state = crm.read_cluster_state_with_quorum(deadline)
        if not state.has_quorum:
            raise SourceUnavailable("this part of the cluster has no quorum")
        return Answer(judge_leadership(state, self._settings), queried_at, monotonic())

    def wait(self, deadline: Deadline, bell: Bell) -> None:
        bell.wait(min(_POLL, deadline.remaining()))


def open_store(settings: StoreSettings) -> Attribute:
    return Attribute(settings)


def judge_leadership(state: ClusterState, settings: StoreSettings) -> Leadership:
    """Return the leadership by the attribute; raise SourceUnavailable if it is ambiguous."""
    name, value, attributes = settings.key, settings.value, state.attributes
    own_node = state.node(settings.node)
    if own_node is None:
        raise SourceUnavailable(f"{settings.node} is no node of this cluster")
    doubtful_nodes = {other.name for other in state.nodes.values() if other.ambiguous}
    doubtful_nodes |= {
        node for node, contradictory_name in state.contradictory if contradictory_name == name
    }
    if doubtful_nodes:
        raise SourceUnavailable(f"{name} is ambiguous on {' and '.join(sorted(doubtful_nodes))}")
    holders = [
        other.name
        for other in state.nodes.values()
        if other.online and not other.unclean and attributes.get(other.name, {}).get(name) == value
    ]
    holder_names = " and ".join(holders)
    if not holders:
        return Leadership(State.NO_LEADER, f"{name} is {value} on no node")
    if own_node.name not in holders:
        return Leadership(State.FOLLOWER, f"{name} is {value} on {holder_names}", holder_names)
    if len(holders) > 1:
        raise SourceUnavailable(f"{name} is {value} on {holder_names}")
    return Leadership(State.LEADER, f"{name} is {value} on {own_node.name}", own_node.name)
