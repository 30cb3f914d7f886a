"""The state of the cluster as one immutable value; ``crm_mon`` fills it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum

from ..values.hosts import find_ignoring_case
from ..values.light_typing import NamedTuple


class NodeKind(Enum):
    MEMBER = "member"
    REMOTE = "remote"
    GUEST = "guest"


class Node(NamedTuple):
    """A cluster node in the state in which Pacemaker shows it."""

    name: str
    kind: NodeKind
    online: bool
    standby: bool
    maintenance: bool
    unclean: bool
    pending: bool
    shutdown: bool
    expected: bool = True
    """False after the node left the cluster in an orderly way; always True for remote nodes.

    Pacemaker records no expectation of remote nodes.
    """
    container: str = ""
    """The id of the resource in which a guest node runs; empty for other nodes."""
    lost: bool = False
    """True for an offline guest node after a failure of its connection or container."""
    ambiguous: bool = False
    """True if several entries of this name are online."""


class Role(Enum):
    """The role of a resource instance, or the transition to another role."""

    STOPPED = "Stopped"
    STARTED = "Started"
    UNPROMOTED = "Unpromoted"
    PROMOTED = "Promoted"
    STARTING = "Starting"
    STOPPING = "Stopping"
    PROMOTING = "Promoting"
    DEMOTING = "Demoting"
    MIGRATING = "Migrating"
    UNKNOWN = "Unknown"


class Instance(NamedTuple):
    """One instance of a resource on one node."""

    node: str
    role: Role
    active: bool
    failed: bool
    blocked: bool
    managed: bool


class ClusterState(NamedTuple):
    """The nodes, the instances by resource id, and the node attributes by node."""

    nodes: Mapping[str, Node]
    resources: Mapping[str, tuple[Instance, ...]]
    """Instances by id of primitive, group, clone or bundle; none if the resource runs nowhere."""
    attributes: Mapping[str, Mapping[str, str]]
    """Transient and permanent node attributes; Pacemaker shows those of online nodes only."""
    contradictory: AbstractSet[tuple[str, str]] = frozenset()
    """Node and attribute with several values in crm_mon's output; not in ``attributes``."""
    unmanaged: AbstractSet[str] = frozenset()
    """The ids of resources that are unmanaged on every node."""
    maintenance: bool = False
    """True if all resources are unmanaged (maintenance-mode)."""
    has_quorum: bool = False
    """True if this part of the cluster has quorum, and crm_mon printed that."""

    def find_node(self, name: str) -> Node | None:
        """Return the node of this name, ignoring case; None if the cluster has no such node."""
        if name not in self.nodes:
            name = find_ignoring_case(name, self.nodes) or name
        return self.nodes.get(name)
