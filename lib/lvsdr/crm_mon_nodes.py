"""The nodes and their attributes in the document that crm_mon prints."""

from __future__ import annotations

from collections.abc import Iterable

from .cluster import Node, NodeKind
from .document import Element
from .errors import SourceUnavailable


def named_attribute(element: Element, name: str) -> str:
    """Return an attribute of an element; raise SourceUnavailable where it is missing."""
    try:
        return element.attributes[name]
    except KeyError:
        raise SourceUnavailable(f"crm_mon: <{element.tag}> has no attribute {name!r}") from None


def nodes_by_name(elements: Iterable[Element]) -> dict[str, Node]:
    """Return the nodes of the section ``nodes``."""
    members = (element for element in elements if element.tag == "node")
    return {node.name: node for node in map(_node, members)}


def _node(element: Element) -> Node:
    kind = NodeKind.REMOTE if element.attributes.get("type") == "remote" else NodeKind.MEMBER
    if "id_as_resource" in element.attributes:
        kind = NodeKind.GUEST
    return Node(
        name=named_attribute(element, "name"),
        kind=kind,
        online=named_attribute(element, "online") == "true",
        standby=element.flag("standby") or element.flag("standby_onfail"),
        maintenance=element.flag("maintenance"),
        unclean=element.flag("unclean"),
        pending=element.flag("pending"),
        shutdown=element.flag("shutdown"),
        expected=kind is not NodeKind.MEMBER or element.flag("expected_up", default=True),
    )


def attributes_by_node(elements: Iterable[Element]) -> dict[str, dict[str, str]]:
    """Return the attributes of the section ``node_attributes``, by node."""
    return {
        named_attribute(node, "name"): {
            named_attribute(attribute, "name"): attribute.attributes.get("value", "")
            for attribute in node.all("attribute")
        }
        for node in elements
        if node.tag == "node"
    }
