"""Views of a cluster from outside: roles, the pool, and its changes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence

from lvsdr.ipvs.table import Service
from lvsdr.ipvs.text import parse_proc
from lvsdr.pacemaker.cluster import ClusterState, Role

from tests.cluster.addresses import READ_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.node import Node

DATABASE = "pgsql-clone"
LOOK = 0.2  # seconds between two reads of the pool

Weights = dict[str, int]
"""Weights by the name of the real server's machine."""


def in_role(state: ClusterState, role: Role, resource: str = DATABASE) -> list[str]:
    """Return the names of the nodes where a healthy instance of a resource has this role."""
    return sorted(
        instance.node
        for instance in state.resources.get(resource, ())
        if instance.role is role and not instance.failed
    )


def nodes_with(state: ClusterState, resource: str = DATABASE) -> list[str]:
    """Return the names of the nodes with an active instance of a resource, in any role."""
    instances = state.resources.get(resource, ())
    return sorted(it.node for it in instances if it.role is not Role.STOPPED)


def replicates(state: ClusterState, standbys: int = 2) -> bool:
    """Return whether there are one primary, `standbys` standbys, and an address for writes."""
    return (
        len(in_role(state, Role.PROMOTED)) == 1
        and len(in_role(state, Role.UNPROMOTED)) == standbys
        and len(in_role(state, Role.STARTED, "write-vip")) == 1
    )


def usable(state: ClusterState) -> list[str]:
    """Return the nodes that are online and not on standby."""
    nodes = state.nodes.values()
    return sorted(node.name for node in nodes if node.online and not node.standby)


def steady(state: ClusterState, *names: str) -> bool:
    """Return whether exactly these nodes are usable, and run all that the examples configure.

    The database runs on all of them, and one is promoted and has the address for writes. Real
    servers run on all of them, and the director on one.
    """
    replicated = usable(state) == sorted(names) and replicates(state, len(names) - 1)
    return (
        replicated
        and in_role(state, Role.STARTED, "write-vip") == in_role(state, Role.PROMOTED)
        and in_role(state, Role.STARTED, "lvsdr-realsvr-clone") == sorted(names)
        and len(in_role(state, Role.STARTED, "director")) == 1  # the service and its address
    )


def is_score(attribute: str, resource: str = "pgsql") -> bool:
    """Return whether this node attribute is the promotion score of a resource."""
    return attribute.endswith(f"-{resource}")


def can_be_promoted(state: ClusterState) -> list[str]:
    """Return the nodes with a positive promotion score, which their agent sets.

    The agent on the primary gives it to standbys that it has seen streaming. Without it, no standby
    is promoted.
    """
    scores = {
        node: value
        for node, attributes in state.attributes.items()
        for name, value in attributes.items()
        if is_score(name)
    }
    return sorted(node for node, score in scores.items() if score.isdigit() and int(score) > 0)


def primary(cluster: Cluster) -> Machine:
    """Return the machine where the database is promoted. Raise ValueError unless there is one."""
    (name,) = in_role(cluster.state(), Role.PROMOTED)
    return cluster[name]


def standbys(cluster: Cluster) -> list[Machine]:
    """Return the nodes where the database is unpromoted, by their names."""
    return [cluster[name] for name in in_role(cluster.state(), Role.UNPROMOTED)]


# --- state of the kernels: it needs no process, so frequent reads are cheap


def directors(cluster: Cluster) -> list[Node]:
    """Return the running nodes whose kernel has the read service."""
    return [node for node in cluster.nodes if balances(node)]


def balances(node: Node) -> bool:
    """Return whether the node's kernel has the read service."""
    return _service(node) is not None


def pool(cluster: Cluster, nodes: Sequence[Node] | None = None) -> Weights | None:
    """Return the real servers of the read service on the node that has it; None if none has.

    An address that belongs to no machine, such as that of a fallback, stays an address. Only
    `nodes` are read, if that is given.
    """
    names = {machine.address: machine.name for machine in cluster.machines}
    for node in cluster.nodes if nodes is None else nodes:
        service = _service(node)
        if service is not None:
            servers = service.real_servers.items()
            return {
                names.get(at.address, at.address): server.config.weight for at, server in servers
            }
    return None


def serving(weights: Weights | None) -> set[str]:
    """Return the real servers that get new connections."""
    return {name for name, weight in (weights or {}).items() if weight}


def never_empty(seen: Iterable[Weights | None]) -> bool:
    """Return whether each of these pools has a real server that gets new connections."""
    return all(map(serving, seen))


def _service(node: Node) -> Service | None:
    if not node.running:
        return None
    table = parse_proc(node.host.proc_ipvs())
    return next((service for key, service in table.items() if key.address == READ_VIP), None)


def find_weights(node: Node, address: str, port: int) -> Weights | None:
    """Return the weights of a service in a node's kernel, by address; None without the service."""
    for key, service in parse_proc(node.host.proc_ipvs()).items():
        if (key.address, key.port) == (address, port):
            servers = service.real_servers.items()
            return {server.address: found.config.weight for server, found in servers}
    return None


@contextlib.contextmanager
def pool_watched(cluster: Cluster) -> Iterator[list[Weights | None]]:
    """Yield a list in which a thread collects every change of the pool."""
    seen = [pool(cluster)]
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK):
            with contextlib.suppress(OSError):  # a machine may be about to lose its power
                now = pool(cluster)
                if now != seen[-1]:
                    seen.append(now)

    watcher = threading.Thread(target=look, name="pool watcher")
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()
