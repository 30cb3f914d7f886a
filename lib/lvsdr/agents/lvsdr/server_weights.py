"""The weights of all real servers of one cycle: from the parameters and from node attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...pacemaker.cluster import ClusterState
from ...pool.attribute_weights import (
    apply_attribute_weights,
    list_flaws,
    list_unmatched,
    read_attribute_weights,
)
from ...pool.model import Located, PoolSpec
from ...values.light_typing import NamedTuple


class Weighed(NamedTuple):
    """The real servers with their weights, and the sentences on attributes without effect."""

    located: Sequence[Located]
    fallback: Sequence[Located]
    complaints: Sequence[str]
    """The pool is not as an attribute wants it."""
    notes: Sequence[str]
    """An attribute is of a host that this service does not have now."""


def weigh_servers(
    spec: PoolSpec,
    cluster: ClusterState,
    located: Sequence[Located],
    fallback: Sequence[Located],
    hosts: Mapping[str, str],
) -> Weighed:
    """Return the real servers and the fallbacks with their weights.

    ``hosts`` are the last known hosts by address.  A node attribute precedes every parameter.
    """
    attribute = spec.weight_attribute
    weights = read_attribute_weights(cluster, attribute)
    servers = (*located, *fallback)
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
