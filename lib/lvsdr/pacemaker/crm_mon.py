"""The parser of the document that ``crm_mon --output-as=xml`` prints.

This module and ``crm_mon_nodes`` contain all knowledge of the schema (pacemaker's
``api-result.rng`` and ``crm_mon-*.rng``).  An unexpected document is an error and never means "no
nodes": a failed query must not empty a pool.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import SourceUnavailable
from ..values.parsing import remove_instance_number
from .cluster import ClusterState, Instance, Role
from .crm_mon_nodes import (
    UNDER_WAY,
    attributes_by_node,
    named_attribute,
    nodes_by_name,
    with_connections,
)
from .document import Element, tree

# crm_mon never shows node attributes that begin with one of these (2.0.5 to 3.0: filter lists in
# crm_mon.c or pcmk_output.c). So "standby-ready" is hidden, too, and would seem not to be set.
_HIDDEN = ("#", "fail-count", "last-failure", "shutdown", "standby", "terminate")

_OLD_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}  # before Pacemaker 2.1


def attribute_name(text: str) -> str:
    """Return the name of a node attribute; raise ValueError for one that crm_mon never shows."""
    hidden = next(filter(text.startswith, _HIDDEN), None)
    if hidden is not None:
        raise ValueError(f"crm_mon shows no attribute that begins with {hidden}")
    return text


def current_role(text: str) -> str:
    """Return the current name of a role; names from before Pacemaker 2.1 are translated."""
    return _OLD_ROLES.get(text, text)


def parse(document: bytes) -> ClusterState:
    """Return the state that a ``crm_mon --output-as=xml`` document describes.

    Raise SourceUnavailable if the document reports an error, is incomplete, or does not contain the
    state of a cluster.
    """
    root = _root(document)
    _require_success(root)
    nodes = nodes_by_name(_section(root, "nodes"))
    if not nodes:
        raise SourceUnavailable("crm_mon: the document lists no node at all")
    resources: dict[str, list[Instance]] = {}
    unmanaged: dict[str, bool] = {}
    for element in _section(root, "resources"):
        _collect(element, resources)
        _note_unmanaged(element, unmanaged)
    attributes, contradictory = attributes_by_node(_section(root, "node_attributes"), nodes)
    return ClusterState(
        nodes=with_connections(nodes, _section(root, "resources")),
        resources={name: tuple(instances) for name, instances in resources.items()},
        attributes=attributes,
        contradictory=contradictory,
        unmanaged=frozenset(name for name, everywhere in unmanaged.items() if everywhere),
        maintenance=_in_maintenance(root),
        has_quorum=_has_quorum(root),
    )


def _has_quorum(root: Element) -> bool:
    summary = root.first("summary")
    coordinator = None if summary is None else summary.first("current_dc")
    return coordinator is not None and coordinator.flag("with_quorum")


def _root(document: bytes) -> Element:
    try:
        return tree(document)
    except ValueError as error:
        raise SourceUnavailable(f"crm_mon: not a complete XML document ({error})") from None


def _require_success(root: Element) -> None:
    """Raise SourceUnavailable unless the status element reports success.

    The status code alone does not suffice.  If CIB_file names a missing file, crm_mon reports code
    0 and an error.
    """
    status = root.first("status")
    if root.tag != "pacemaker-result" or status is None:
        raise SourceUnavailable(f"crm_mon: <{root.tag}> is not the result of crm_mon")
    errors = status.first("errors")
    said = [error.text.strip() for error in errors.children] if errors is not None else []
    if status.attributes.get("code") != "0" or said:
        reason = "; ".join(said) or status.attributes.get("message", "unknown error")
        raise SourceUnavailable(f"crm_mon: {reason}")


def _section(root: Element, tag: str) -> Sequence[Element]:
    """Return the children of a section; crm_mon omits sections that would be empty."""
    section = root.first(tag)
    return section.children if section is not None else ()


def _in_maintenance(root: Element) -> bool:
    return any(option.flag("maintenance-mode") for option in _section(root, "summary"))


def _note_unmanaged(element: Element, into: dict[str, bool]) -> bool:
    """Record whether a resource and each of its parts are unmanaged on every node.

    Return the resource's own result.

    A node in maintenance makes only its own instances unmanaged.  An instance that is blocked by a
    failure is not in maintenance.
    """
    found = not element.flag("managed", default=True) and not element.flag("failed")
    if element.tag != "resource":
        inside = [_note_unmanaged(it, into) for it in element.children if it.tag in _PARTS]
        enough = any if element.tag in ("group", "replica") else all
        found = found or (bool(inside) and enough(inside))
    name = remove_instance_number(element.attributes.get("id", ""))
    into[name] = into.get(name, True) and found
    return found


def _collect(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Record the instances of a resource and of its parts under their ids.

    Return the resource's own instances.
    """
    reader = _READERS.get(element.tag)
    if reader is None:
        return []
    found = reader(element, into)
    into.setdefault(remove_instance_number(named_attribute(element, "id")), []).extend(found)
    return found


def _primitive(element: Element, _into: dict[str, list[Instance]]) -> list[Instance]:
    return [
        Instance(
            node=named_attribute(node, "name"),
            role=_role(named_attribute(element, "role")),
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
    """Return a group's instances: one on each node that runs all of its members.

    Disabled members count, too (decision 047).
    """
    members = [_collect(child, into) for child in element.all("resource")]
    by_node: dict[str, list[Instance]] = {}
    for member in members:
        for instance in member:
            by_node.setdefault(instance.node, []).append(instance)
    return [_merged(found) for found in by_node.values() if len(found) == len(members)]


def _merged(instances: list[Instance]) -> Instance:
    """Merge the instances of a group's or bundle's parts; the weakest part decides each flag.

    All members of a group have the same role, except during a transition.
    """
    return instances[0]._replace(
        role=next((i.role for i in instances if i.role in _IN_BETWEEN), instances[0].role),
        active=all(instance.active for instance in instances),
        failed=any(instance.failed for instance in instances),
        blocked=any(instance.blocked for instance in instances),
        managed=all(instance.managed for instance in instances),
    )


_IN_BETWEEN = (Role.STARTING, Role.STOPPING, Role.PROMOTING, Role.DEMOTING)


def _bundle(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Return the instances of a bundle: the nodes on which a replica's container runs.

    The resource inside, if there is one, has to run, too.  Pacemaker does not show it while the
    connection to the container is lost.  Pacemaker gives names to the parts of a replica:
    container, address and connection.  The connection may run on another node than the container.
    """
    bundle, runtime = named_attribute(element, "id"), named_attribute(element, "type")
    found = []
    for replica in element.all("replica"):
        number = named_attribute(replica, "id")
        parts = {named_attribute(it, "id"): _collect(it, into) for it in replica.all("resource")}
        containers = parts.pop(f"{bundle}-{runtime}-{number}", [])
        connection = parts.pop(f"{bundle}-{number}", [])
        inside = [ran for name, ran in parts.items() if not name.startswith(f"{bundle}-ip-")]
        broken = any(_is_broken(it) for it in (*containers, *connection))
        if all(map(_seen, inside)):
            parts_of = [ran[0] for ran in inside]
            merged = [_merged([*parts_of, it])._replace(node=it.node) for it in containers]
            found += [it._replace(failed=it.failed or broken) for it in merged]
        else:
            found += [it._replace(failed=broken) for it in containers if broken or not it.managed]
    return found


def _is_broken(instance: Instance) -> bool:
    return instance.failed and instance.role.value not in UNDER_WAY


def _seen(instances: list[Instance]) -> bool:
    return bool(instances) and instances[0].active


_READERS = {"resource": _primitive, "clone": _clone, "group": _group, "bundle": _bundle}
_PARTS = (*_READERS, "replica")


def _role(text: str) -> Role:
    try:
        return Role(current_role(text))
    except ValueError:
        raise SourceUnavailable(f"crm_mon: {text!r} is not a role known here") from None
