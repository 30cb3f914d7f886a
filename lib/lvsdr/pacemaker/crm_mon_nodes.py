"""The nodes and their attributes in the document that crm_mon prints."""

from __future__ import annotations

from collections.abc import Iterable

from .cluster import Node, NodeKind
from .elements import has_flag, require_attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .elements import Element

# During these operations, crm_mon also shows old failures as current ones (decision 025).
UNDER_WAY = ("Starting", "Stopping", "Promoting", "Demoting", "Migrating")


def read_nodes(elements: Iterable[Element]) -> dict[str, Node]:
    """Return the nodes of the section ``nodes``, one for each name; case does not matter.

    A name may have several entries, for example after a node was reinstalled with another id.
    """
    entries: dict[str, list[Node]] = {}
    for node in (_read_node(element) for element in elements if element.tag == "node"):
        entries.setdefault(node.name.casefold(), []).append(node)
    nodes = (same[0] if len(same) == 1 else _merge_entries(same) for same in entries.values())
    return {node.name: node for node in nodes}


def _merge_entries(entries: list[Node]) -> Node:
    """Return the online entry of a name; if several are online, return the first one as ambiguous.

    If all entries are offline, the node is offline.  It is then in maintenance, unclean, pending or
    expected if any entry is.  The entry of a remote or guest node precedes one of a member, which
    may be older: an offline member has failed, a remote node may only be out of sight.
    """
    online = [node for node in entries if node.online]
    if online:
        return online[0]._replace(ambiguous=len(online) > 1)
    kept = next((node for node in entries if node.kind is not NodeKind.MEMBER), entries[0])
    return kept._replace(
        maintenance=any(node.maintenance for node in entries),
        unclean=any(node.unclean for node in entries),
        pending=any(node.pending for node in entries),
        expected=any(node.expected for node in entries),
    )


def _read_node(element: Element) -> Node:
    kind = NodeKind.REMOTE if element.get("type") == "remote" else NodeKind.MEMBER
    if "id_as_resource" in element.attrib:
        kind = NodeKind.GUEST
    return Node(
        name=require_attribute(element, "name"),
        kind=kind,
        online=require_attribute(element, "online") == "true",
        standby=has_flag(element, "standby") or has_flag(element, "standby_onfail"),
        maintenance=has_flag(element, "maintenance"),
        unclean=has_flag(element, "unclean"),
        pending=has_flag(element, "pending"),
        shutdown=has_flag(element, "shutdown"),
        expected=kind is not NodeKind.MEMBER or has_flag(element, "expected_up", default=True),
        container=element.get("id_as_resource", ""),
    )


def mark_lost_nodes(nodes: dict[str, Node], resources: Iterable[Element]) -> dict[str, Node]:
    """Mark offline guest nodes as lost if their connection or container has failed.

    A container counts as failed, too, if all members that run it are unclean.  Pacemaker shows a
    remote or guest node as offline while its connection has no history (lib/pengine/unpack.c,
    determine_remote_online_status).  The history is missing while the connection is probed again,
    or after the loss of the member that held it.  So only a failure proves that a guest node is
    gone; Pacemaker then restarts its container.  A remote node with a failed connection is fenced,
    which makes it unclean, or Pacemaker only connects again.
    """
    away = [n for n in nodes.values() if not n.online and n.kind is NodeKind.GUEST]
    if not away:
        return nodes
    primitives = {
        element.get("id", ""): element for part in resources for element in part.iter("resource")
    }
    lost = {node.name: node._replace(lost=_is_lost(node, primitives, nodes)) for node in away}
    return {**nodes, **lost}


def _is_lost(node: Node, primitives: dict[str, Element], nodes: dict[str, Node]) -> bool:
    connection, container = primitives.get(node.name), primitives.get(node.container)
    if any(_has_failed(element) for element in (connection, container) if element is not None):
        return True
    places = [] if container is None else [it.get("name") for it in container.iterchildren("node")]
    hosts = [nodes[name] for name in places if name in nodes]
    return bool(hosts) and all(host.unclean for host in hosts)


def _has_failed(element: Element) -> bool:
    """Test for a failed resource; during an operation the flag may report an old failure."""
    return has_flag(element, "failed") and element.get("role") not in UNDER_WAY


def read_attributes(
    elements: Iterable[Element], nodes: Iterable[str]
) -> tuple[dict[str, dict[str, str]], set[tuple[str, str]]]:
    """Return the attributes of the section ``node_attributes``, by node.

    The second value contains node and name of each attribute with several values.  The first value
    omits those attributes.
    """
    names = {name.casefold(): name for name in nodes}
    attributes: dict[str, dict[str, str]] = {}
    contradictory: set[tuple[str, str]] = set()
    for element in elements:
        if element.tag == "node":
            shown = require_attribute(element, "name")
            node = names.get(shown.casefold(), shown)
            values = attributes.setdefault(node, {})
            for attribute in element.iterchildren("attribute"):
                name, value = require_attribute(attribute, "name"), attribute.get("value", "")
                if values.setdefault(name, value) != value:
                    contradictory.add((node, name))
    for node, name in contradictory:
        del attributes[node][name]
    return attributes, contradictory
