"""The weights of all real servers of one cycle: from the parameters and from node attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...errors import SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...pool.attribute_weights import (
    add_hidden_attributes,
    apply_attribute_weights,
    doubt_hosts_outside,
    list_flaws,
    list_hidden_nodes,
    list_unmatched,
    read_attribute_weights,
)
from ...pool.model import Located, PoolSpec
from ...system import crm
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple


class Weighed(NamedTuple):
    """The real servers with their weights, and the sentences on attributes without effect."""

    located: Sequence[Located]
    fallback: Sequence[Located]
    complaints: Sequence[str]
    """The pool is not as an attribute wants it."""
    notes: Sequence[str]
    """An attribute is of a host that this service does not have now."""


def show_hidden_attributes(
    spec: PoolSpec, cluster: ClusterState, hosts: Iterable[str], deadline: Deadline
) -> tuple[ClusterState, str]:
    """Return the cluster with the weights of hosts outside in attributes of offline nodes.

    crm_mon hides them: without them a drain would end when the node of the attribute fails.  The
    second value is the problem if they cannot be read.
    """
    nodes = list_hidden_nodes(cluster, spec.weight_attribute, hosts)
    if not nodes:
        return cluster, ""
    from ...pacemaker.cib import find_node_attributes

    try:
        document = crm.read_configuration(deadline)
        hidden = find_node_attributes(document, nodes, f"{spec.weight_attribute}@")
    except SourceUnavailable as error:
        names = ", ".join(nodes)
        return cluster, f"the attributes of {names}, which is offline, cannot be read: {error}"
    return add_hidden_attributes(cluster, hidden), ""


def weigh_servers(
    spec: PoolSpec,
    cluster: ClusterState,
    located: Sequence[Located],
    fallback: Sequence[Located],
    hosts: Mapping[str, str],
    hidden_problem: str = "",
) -> Weighed:
    """Return the real servers and the fallbacks with their weights.

    ``hosts`` are the last known hosts by address.  A node attribute precedes every parameter.
    ``hidden_problem`` is that of ``show_hidden_attributes``.
    """
    attribute = spec.weight_attribute
    weights = read_attribute_weights(cluster, attribute)
    servers = (*located, *fallback)
    if hidden_problem:
        weights = doubt_hosts_outside(weights, cluster, servers, hidden_problem)
    return Weighed(
        apply_attribute_weights(located, weights),
        apply_attribute_weights([_weigh_fallback(server, spec) for server in fallback], weights),
        tuple(list_flaws(weights, servers, cluster, attribute, hosts)),
        tuple(list_unmatched(weights, servers, hosts)),
    )


def _weigh_fallback(server: Located, spec: PoolSpec) -> Located:
    weight = spec.fallback[server.host]
    if weight is None:
        return server
    return server._replace(weight=weight, weight_source="fallback_realservers")
