"""The document that ``crm_mon --output-as=xml`` prints, read into the cluster's state.

The only module that knows the schema of that document (pacemaker's ``api-result.rng`` and
``crm_mon-*.rng``).  What is not the document it should be is an error, never "no nodes": a pool
must not be emptied because the cluster could not be asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from .cluster import ClusterState, Instance, Node, NodeKind, Role
from .document import Element, tree
from .errors import SourceUnavailable

# Node attributes that crm_mon never shows begin with one of these (2.0.5 to 3.0: crm_mon.c, or
# pcmk_output.c, the list of what to filter); "standby-ready", too, would look like one not set.
_HIDDEN = ("#", "fail-count", "last-failure", "shutdown", "standby", "terminate")

_OLD_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}  # before Pacemaker 2.1


def attribute_name(text: str) -> str:
    """The name of a node attribute; raises ValueError for one that crm_mon never shows."""
    hidden = next(filter(text.startswith, _HIDDEN), None)
    if hidden is not None:
        raise ValueError(f"crm_mon shows no attribute that begins with {hidden}")
    return text


def parse(document: bytes) -> ClusterState:
    """The state that a ``crm_mon --output-as=xml`` document describes.

    Raises SourceUnavailable when the document reports an error, is not complete, or is not one of
    a cluster's state.
    """
    root = _root(document)
    _require_success(root)
    members = (element for element in _section(root, "nodes") if element.tag == "node")
    nodes = {node.name: node for node in map(_node, members)}
    if not nodes:
        raise SourceUnavailable("crm_mon: the document lists no node at all")
    resources: dict[str, list[Instance]] = {}
    for element in _section(root, "resources"):
        _collect(element, resources)
    return ClusterState(
        nodes=nodes,
        resources={name: tuple(instances) for name, instances in resources.items()},
        attributes=_attributes(root),
    )


def _root(document: bytes) -> Element:
    try:
        return tree(document)
    except ValueError as error:
        raise SourceUnavailable(f"crm_mon: not a complete XML document ({error})") from None


def _require_success(root: Element) -> None:
    """The status element is the document's word on whether the rest can be believed.

    Its code alone is not: with CIB_file naming a missing file crm_mon reports code 0 and an error.
    """
    status = root.first("status")
    if root.tag != "pacemaker-result" or status is None:
        raise SourceUnavailable(f"crm_mon: <{root.tag}> is not the result of crm_mon")
    errors = status.first("errors")
    said = [error.text.strip() for error in errors.children] if errors is not None else []
    if status.attributes.get("code") != "0" or said:
        reason = "; ".join(said) or status.attributes.get("message", "unknown error")
        raise SourceUnavailable(f"crm_mon: {reason}")


def _named(element: Element, name: str) -> str:
    try:
        return element.attributes[name]
    except KeyError:
        raise SourceUnavailable(f"crm_mon: <{element.tag}> has no attribute {name!r}") from None


def _section(root: Element, tag: str) -> Sequence[Element]:
    """What is in a section; crm_mon leaves out one that would be empty."""
    section = root.first(tag)
    return section.children if section is not None else ()


def _node(element: Element) -> Node:
    kind = NodeKind.REMOTE if element.attributes.get("type") == "remote" else NodeKind.MEMBER
    if "id_as_resource" in element.attributes:
        kind = NodeKind.GUEST
    return Node(
        name=_named(element, "name"),
        kind=kind,
        online=_named(element, "online") == "true",
        standby=element.flag("standby") or element.flag("standby_onfail"),
        maintenance=element.flag("maintenance"),
        unclean=element.flag("unclean"),
        pending=element.flag("pending"),
        shutdown=element.flag("shutdown"),
        expected=kind is not NodeKind.MEMBER or element.flag("expected_up", default=True),
    )


def _attributes(root: Element) -> dict[str, dict[str, str]]:
    section = root.first("node_attributes")
    return {
        _named(node, "name"): {
            _named(attribute, "name"): attribute.attributes.get("value", "")
            for attribute in node.all("attribute")
        }
        for node in (section.all("node") if section is not None else ())
    }


def _collect(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Enter the instances of a resource, and of all that it contains, under their ids."""
    reader = _READERS.get(element.tag)
    if reader is None:
        return []
    found = reader(element, into)
    into.setdefault(_plain_id(_named(element, "id")), []).extend(found)
    return found


def _primitive(element: Element, _into: dict[str, list[Instance]]) -> list[Instance]:
    return [
        Instance(
            node=_named(node, "name"),
            role=_role(_named(element, "role")),
            active=element.flag("active"),
            failed=element.flag("failed"),
            blocked=element.flag("blocked"),
            managed=element.flag("managed", default=True),
        )
        for node in element.all("node")
    ]


def _clone(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    return [found for child in element.children for found in _collect(child, into)]


def _group(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """A group is where all of its members are; one member's trouble is the group's."""
    members = [_collect(child, into) for child in element.all("resource")]
    by_node: dict[str, list[Instance]] = {}
    for member in members:
        for instance in member:
            by_node.setdefault(instance.node, []).append(instance)
    return [_merged(found) for found in by_node.values() if len(found) == len(members)]


def _merged(instances: list[Instance]) -> Instance:
    """The weakest member speaks for the group; a group's role is the same for all members."""
    return instances[0]._replace(
        role=next((i.role for i in instances if i.role in _IN_BETWEEN), instances[0].role),
        active=all(instance.active for instance in instances),
        failed=any(instance.failed for instance in instances),
        blocked=any(instance.blocked for instance in instances),
        managed=all(instance.managed for instance in instances),
    )


_IN_BETWEEN = (Role.STARTING, Role.STOPPING, Role.PROMOTING, Role.DEMOTING)


def _bundle(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """A bundle is where a replica's container is and, if it has a resource inside, runs that.

    Pacemaker names the parts of a replica: container, address, and the connection to its inside,
    which need not be on the container's node.
    """
    bundle, runtime = _named(element, "id"), _named(element, "type")
    found = []
    for replica in element.all("replica"):
        number = _named(replica, "id")
        parts = {_named(part, "id"): _collect(part, into) for part in replica.all("resource")}
        containers = parts.pop(f"{bundle}-{runtime}-{number}", [])
        parts.pop(f"{bundle}-{number}", None)
        inside = [ran for name, ran in parts.items() if not name.startswith(f"{bundle}-ip-")]
        if all(inside):
            parts_of = [ran[0] for ran in inside]
            found += [_merged([*parts_of, it])._replace(node=it.node) for it in containers]
    return found


_READERS = {"resource": _primitive, "clone": _clone, "group": _group, "bundle": _bundle}


def _plain_id(resource_id: str) -> str:
    """The configured id: an anonymous or unique instance may be shown as ``id:NUMBER``."""
    plain, colon, number = resource_id.rpartition(":")
    return plain if colon and number.isdigit() else resource_id


def _role(text: str) -> Role:
    try:
        return Role(_OLD_ROLES.get(text, text))
    except ValueError:
        raise SourceUnavailable(f"crm_mon: {text!r} is not a role known here") from None
