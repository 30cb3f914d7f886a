"""Pacemaker's state as one immutable value; ``crm_mon`` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum

from .hosts import named
from .typed import NamedTuple


class NodeKind(Enum):
    MEMBER = "member"
    REMOTE = "remote"
    GUEST = "guest"


class Node(NamedTuple):
    """A cluster node, as the cluster sees it."""

    name: str
    kind: NodeKind
    online: bool
    standby: bool
    maintenance: bool
    unclean: bool
    pending: bool
    shutdown: bool
    expected: bool = True
    """Whether it has not left of its own accord; Pacemaker expects nothing of remote nodes."""
    container: str = ""
    """Of a guest node: the id of the resource that it runs in."""
    lost: bool = False
    """Of a guest node that is offline: its connection or its container has failed."""
    ambiguous: bool = False
    """Several entries of this name are online."""


class Role(Enum):
    """The role of a resource instance, or the way to another one that it is on."""

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
    """What the cluster knows: nodes, instances by resource id, attributes by node."""

    nodes: Mapping[str, Node]
    resources: Mapping[str, tuple[Instance, ...]]
    """By id of primitive, group, clone or bundle; a known id that runs nowhere has no instances."""
    attributes: Mapping[str, Mapping[str, str]]
    """Transient and permanent node attributes; Pacemaker shows those of online nodes."""
    contradictory: AbstractSet[tuple[str, str]] = frozenset()
    """Node and attribute of which crm_mon shows several values; ``attributes`` has none of them."""
    unmanaged: AbstractSet[str] = frozenset()
    """Ids of resources that Pacemaker leaves alone wherever they run."""
    maintenance: bool = False
    """Whether Pacemaker leaves all resources alone (maintenance-mode)."""

    def node(self, name: str) -> Node | None:
        """The node of this name, in whatever case that is written."""
        if name not in self.nodes:
            name = named(name, self.nodes) or name
        return self.nodes.get(name)
