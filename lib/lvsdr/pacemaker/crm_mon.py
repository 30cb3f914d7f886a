"""The parser of the document that ``crm_mon --output-as=xml`` prints.

This module and ``crm_mon_nodes`` contain all knowledge of the schema (pacemaker's
``api-result.rng`` and ``crm_mon-*.rng``).  An unexpected document is an error and never means "no
nodes": a failed query must not empty a pool.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import SourceUnavailable
from ..values.parsing import remove_instance_number
from .cluster import ClusterState, Instance, Role
from .crm_mon_nodes import (
    UNDER_WAY,
    mark_lost_nodes,
    read_attributes,
    read_nodes,
)
from .elements import find_child, has_flag, parse_document, require_attribute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .elements import Element

# crm_mon never shows node attributes that begin with one of these (2.0.5 to 3.0: filter lists in
# crm_mon.c or pcmk_output.c). So "standby-ready" is hidden, too, and would seem not to be set.
_HIDDEN = ("#", "fail-count", "last-failure", "shutdown", "standby", "terminate")

_OLD_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}  # before Pacemaker 2.1


def parse_attribute_name(text: str) -> str:
    """Return the name of a node attribute; raise ValueError for one that crm_mon never shows."""
    hidden = next(filter(text.startswith, _HIDDEN), None)
    if hidden is not None:
        raise ValueError(f"crm_mon shows no attribute that begins with {hidden}")
    return text


def translate_role(text: str) -> str:
    """Return the current name of a role; names from before Pacemaker 2.1 are translated."""
    return _OLD_ROLES.get(text, text)


def parse_cluster_state(document: bytes) -> ClusterState:
    """Return the state that a ``crm_mon --output-as=xml`` document describes.

    Raise SourceUnavailable if the document reports an error, is incomplete, or does not contain the
    state of a cluster.
    """
    root = parse_document(document, "crm_mon")
    _require_success(root)
    try:
        return _build_state(root)
    except RecursionError:  # clones do not contain clones
        raise SourceUnavailable("crm_mon: the document is nested too deeply") from None


def _build_state(root: Element) -> ClusterState:
    nodes = read_nodes(_list_section(root, "nodes"))
    if not nodes:
        raise SourceUnavailable("crm_mon: the document lists no node at all")
    resources: dict[str, list[Instance]] = {}
    unmanaged: dict[str, bool] = {}
    for element in _list_section(root, "resources"):
        _collect_instances(element, resources)
        _note_unmanaged(element, unmanaged)
    attributes, contradictory = read_attributes(_list_section(root, "node_attributes"), nodes)
    return ClusterState(
        nodes=mark_lost_nodes(nodes, _list_section(root, "resources")),
        resources={name: tuple(instances) for name, instances in resources.items()},
        attributes=attributes,
        contradictory=contradictory,
        unmanaged=frozenset(name for name, everywhere in unmanaged.items() if everywhere),
        maintenance=_is_in_maintenance(root),
        has_quorum=_has_quorum(root),
    )


def _require_success(root: Element) -> None:
    """Raise SourceUnavailable unless the status element reports success.

    The status code alone does not suffice.  If CIB_file names a missing file, crm_mon reports code
    0 and an error.
    """
    status = find_child(root, "status")
    if root.tag != "pacemaker-result" or status is None:
        raise SourceUnavailable(f"crm_mon: <{root.tag}> is not the result of crm_mon")
    errors = find_child(status, "errors")
    messages = [] if errors is None else [_join_lines(error.text or "") for error in errors]
    if status.get("code") != "0" or messages:
        reason = "; ".join(messages) or _join_lines(status.get("message", "unknown error"))
        raise SourceUnavailable(f"crm_mon: {reason}")


def _join_lines(text: str) -> str:
    return " ".join(text.split())


def _list_section(root: Element, tag: str) -> Iterable[Element]:
    """Return the children of a section; crm_mon omits sections that would be empty."""
    section = find_child(root, tag)
    return () if section is None else section


def _is_in_maintenance(root: Element) -> bool:
    return any(has_flag(option, "maintenance-mode") for option in _list_section(root, "summary"))


def _has_quorum(root: Element) -> bool:
    """Test for quorum, which the coordinator (DC) reports; without one there is none."""
    coordinators = (it for it in _list_section(root, "summary") if it.tag == "current_dc")
    return any(has_flag(coordinator, "with_quorum") for coordinator in coordinators)


def _note_unmanaged(element: Element, into: dict[str, bool]) -> bool:
    """Record whether a resource and each of its parts are unmanaged on every node.

    Return the resource's own result.

    A node in maintenance makes only its own instances unmanaged.  An instance that is blocked by a
    failure is not in maintenance.
    """
    unmanaged = not has_flag(element, "managed", default=True) and not has_flag(element, "failed")
    if element.tag != "resource":
        parts = [_note_unmanaged(it, into) for it in element if it.tag in _PARTS]
        enough = any if element.tag in ("group", "replica") else all
        unmanaged = unmanaged or (bool(parts) and enough(parts))
    name = remove_instance_number(element.get("id", ""))
    into[name] = into.get(name, True) and unmanaged
    return unmanaged


def _collect_instances(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Record the instances of a resource and of its parts under their ids.

    Return the resource's own instances.
    """
    reader = _READERS.get(element.tag)
    if reader is None:
        return []
    instances = reader(element, into)
    name = remove_instance_number(require_attribute(element, "id"))
    into.setdefault(name, []).extend(instances)
    return instances


def _read_primitive(element: Element, _into: dict[str, list[Instance]]) -> list[Instance]:
    return [
        Instance(
            node=require_attribute(node, "name"),
            role=_parse_role(require_attribute(element, "role")),
            active=has_flag(element, "active"),
            failed=has_flag(element, "failed"),
            blocked=has_flag(element, "blocked"),
            managed=has_flag(element, "managed", default=True),
        )
        for node in element.iterchildren("node")
    ]


def _read_clone(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    return [instance for child in element for instance in _collect_instances(child, into)]


def _read_group(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Return a group's instances: one on each node that runs all of its members.

    Disabled members count, too (decision 047).
    """
    members = [_collect_instances(child, into) for child in element.iterchildren("resource")]
    by_node: dict[str, list[Instance]] = {}
    for member in members:
        for instance in member:
            by_node.setdefault(instance.node, []).append(instance)
    return [_merge_instances(parts) for parts in by_node.values() if len(parts) == len(members)]


def _merge_instances(instances: list[Instance]) -> Instance:
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


def _read_bundle(element: Element, into: dict[str, list[Instance]]) -> list[Instance]:
    """Return the instances of a bundle: the nodes on which a replica's container runs.

    The resource inside, if there is one, has to run, too.  Pacemaker does not show it while the
    connection to the container is lost.  Pacemaker gives names to the parts of a replica:
    container, address and connection.  The connection may run on another node than the container.
    """
    bundle, runtime = require_attribute(element, "id"), require_attribute(element, "type")
    instances = []
    for replica in element.iterchildren("replica"):
        number = require_attribute(replica, "id")
        parts = {
            require_attribute(it, "id"): _collect_instances(it, into)
            for it in replica.iterchildren("resource")
        }
        containers = parts.pop(f"{bundle}-{runtime}-{number}", [])
        connection = parts.pop(f"{bundle}-{number}", [])
        inside = [part for name, part in parts.items() if not name.startswith(f"{bundle}-ip-")]
        broken = any(_is_broken(it) for it in (*containers, *connection))
        if all(map(_is_active, inside)):
            inner = [part[0] for part in inside]
            merged = [_merge_instances([*inner, it])._replace(node=it.node) for it in containers]
            instances += [it._replace(failed=it.failed or broken) for it in merged]
        else:
            shown = (it for it in containers if broken or not it.managed)
            instances += [it._replace(failed=broken) for it in shown]
    return instances


def _is_broken(instance: Instance) -> bool:
    return instance.failed and instance.role.value not in UNDER_WAY


def _is_active(instances: list[Instance]) -> bool:
    return bool(instances) and instances[0].active


_READERS = {
    "resource": _read_primitive,
    "clone": _read_clone,
    "group": _read_group,
    "bundle": _read_bundle,
}
_PARTS = (*_READERS, "replica")


def _parse_role(text: str) -> Role:
    try:
        return Role(translate_role(text))
    except ValueError:
        raise SourceUnavailable(f"crm_mon: {text!r} is not a role known here") from None
