"""The weights that node attributes give: ``realserver_weight_attribute``.  Pure.

The attribute of a node gives the weight of that node.  A host outside the cluster has no attribute
of its own.  Its weight is in an attribute of any node, with the host behind an ``@`` in the name:
``lvsdr-weight@192.168.0.234``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..pacemaker.cluster import ClusterState
from ..values.hosts import find_ignoring_case
from ..values.light_typing import NamedTuple
from ..values.parsing import canonical_address, is_decimal, is_host
from .model import Located, Outcome, Verdict

MOST_WEIGHT = 65535  # ipvsadm(8), -w

_SHOWN = 60  # characters of a value in a message


def is_weight(text: str) -> bool:
    """Test for a weight that the kernel accepts.

    >>> [is_weight(text) for text in ("0", "65535", "65536", "-1", "1.5", "", "ten")]
    [True, True, False, False, False, False, False]
    """
    return is_decimal(text, len(str(MOST_WEIGHT))) and int(text) <= MOST_WEIGHT


class AttributeWeight(NamedTuple):
    """The weight of one host in node attributes."""

    host: str
    place: str
    """The attribute and the nodes that have it."""
    source: str
    """The attribute as the source of a weight."""
    weight: int | None
    """None if the value is no weight, or if several values contradict each other."""
    flaw: str = ""
    """The reason why the weight is None."""


class _Entry(NamedTuple):
    """An attribute of one node that is about the weight of a host."""

    host: str
    attribute: str
    node: str
    value: str | None
    """None if Pacemaker shows several values."""


def read_attribute_weights(
    state: ClusterState, attribute: str | None
) -> dict[str, AttributeWeight]:
    """Return the weights by host; the hosts are in lower case (casefold)."""
    entries: dict[str, list[_Entry]] = {}
    for entry in _list_entries(state, attribute):
        if entry.attribute == attribute or state.find_node(entry.host) is None:
            entries.setdefault(entry.host.casefold(), []).append(entry)
    return {host: _combine_entries(same) for host, same in entries.items()}


def _list_entries(state: ClusterState, attribute: str | None) -> Iterator[_Entry]:
    if attribute is None:
        return
    shown = [(node, it) for node, values in state.attributes.items() for it in values.items()]
    several = [(node, (name, None)) for node, name in sorted(state.contradictory)]
    for node, (name, value) in (*shown, *several):
        if name == attribute:
            yield _Entry(node, name, node, value)
        elif name.startswith(f"{attribute}@"):
            text = name[len(f"{attribute}@") :]
            yield _Entry(canonical_address(text) or text, name, node, value)


def _combine_entries(entries: list[_Entry]) -> AttributeWeight:
    """Return the weight in the attributes of one host; equal values on several nodes agree."""
    first = entries[0]
    names = dict.fromkeys(entry.attribute for entry in entries)
    place = f"{' and '.join(names)} of {', '.join(entry.node for entry in entries)}"
    if None in {entry.value for entry in entries} or len({entry.value for entry in entries}) > 1:
        shown = ", ".join(f"{_quote(entry.value)} of {entry.node}" for entry in entries)
        flaw = f"{' and '.join(names)} has several values: {shown}; set the same one"
    elif is_weight(first.value or ""):
        weight = int(first.value or "")
        return AttributeWeight(first.host, place, f"attribute {first.attribute}", weight)
    else:
        flaw = f"{place} is {_quote(first.value)}: must be a weight from 0 to {MOST_WEIGHT}"
    return AttributeWeight(first.host, place, f"attribute {first.attribute}", None, flaw)


def _quote(value: str | None) -> str:
    return "several values" if value is None else f"{value[:_SHOWN]!a}"


def list_hidden_nodes(
    state: ClusterState, attribute: str | None, hosts: Iterable[str]
) -> list[str]:
    """Return the offline nodes, whose attributes crm_mon hides, if a host outside may need one."""
    if attribute is None or all(state.find_node(host) is not None for host in hosts):
        return []
    return [node.name for node in state.nodes.values() if not node.online]


def add_hidden_attributes(
    state: ClusterState, hidden: Mapping[str, Mapping[str, str]]
) -> ClusterState:
    """Return the state with attributes of offline nodes, unless an online node has the same one."""
    shown = {name for values in state.attributes.values() for name in values}
    added = {
        node: {name: value for name, value in values.items() if name not in shown}
        for node, values in hidden.items()
    }
    return state._replace(attributes={**state.attributes, **added})


def doubt_hosts_outside(
    weights: Mapping[str, AttributeWeight],
    state: ClusterState,
    servers: Iterable[Located],
    problem: str,
) -> dict[str, AttributeWeight]:
    """Return the weights; that of each other host outside is not known because of a problem."""
    doubts = {
        server.host.casefold(): AttributeWeight(server.host, "", "", None, problem)
        for server in servers
        if state.find_node(server.host) is None
    }
    return {**doubts, **weights}


def apply_attribute_weights(
    servers: Iterable[Located], weights: Mapping[str, AttributeWeight]
) -> list[Located]:
    """Return the real servers with the weights of node attributes.

    Without a usable weight the real server stays as it is: a fit one becomes UNKNOWN.
    """
    return [_apply_weight(server, weights.get(server.host.casefold())) for server in servers]


def _apply_weight(server: Located, found: AttributeWeight | None) -> Located:
    if found is None:
        return server
    if found.weight is not None:
        return server._replace(weight=found.weight, weight_source=found.source)
    if server.verdict.outcome is not Outcome.IN:
        return server
    # A configured weight of 0 would drain it; this one is not used.
    verdict = Verdict(Outcome.UNKNOWN, "its weight is not known")
    return server._replace(weight=server.weight or 1, verdict=verdict)


def list_flaws(
    weights: Mapping[str, AttributeWeight],
    servers: Iterable[Located],
    state: ClusterState,
    attribute: str | None,
    hosts: Mapping[str, str],
) -> Iterator[str]:
    """Yield a sentence for each attribute that cannot have its intended effect on this service.

    ``hosts`` are the last known hosts by address.
    """
    names = [server.host for server in servers]
    for found in weights.values():
        known_host = hosts.get(found.host)
        if find_ignoring_case(found.host, names) is not None:
            if found.flaw:
                yield found.flaw
        elif known_host in names:
            yield (
                f"{found.place} has no effect: write {attribute}@{known_host}, as that host is "
                "listed"
            )
    for entry in _list_entries(state, attribute):
        if entry.attribute != attribute and state.find_node(entry.host) is not None:
            yield (
                f"{entry.attribute} of {entry.node} has no effect: {entry.host} is a cluster node, "
                f"set {attribute} on it"
            )


def list_unmatched(
    weights: Mapping[str, AttributeWeight], servers: Iterable[Located], hosts: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each attribute of a host that is no real server of this service now.

    The attribute may be meant for another service of the cluster, or for a later time.
    """
    names = [server.host for server in servers]
    for found in weights.values():
        if find_ignoring_case(found.host, names) is None and hosts.get(found.host) not in names:
            host = found.host if is_host(found.host) else f"{found.host[:_SHOWN]!a}"
            yield f"{found.place} has no effect now: {host} is no real server of this service"
