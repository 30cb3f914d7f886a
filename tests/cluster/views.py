"""What can be seen of a cluster from outside: roles, the pool, and how that changes meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from lvsdr.cluster import ClusterState, Role
from lvsdr.ipvs.text import parse_proc

from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.places import READ_VIP

DATABASE = "pgsql-clone"
LOOK = 0.2  # seconds from one look at the pool to the next

Weights = dict[str, int]
"""By the name of the machine that is the real server."""


def in_role(state: ClusterState, role: Role, resource: str = DATABASE) -> list[str]:
    """Return the names of the nodes where a healthy instance of a resource has this role."""
    return sorted(
        instance.node
        for instance in state.resources.get(resource, ())
        if instance.role is role and not instance.failed
    )


def replicates(state: ClusterState, standbys: int = 2) -> bool:
    """Say whether there is one primary, so many standbys, and an address for writes."""
    return (
        len(in_role(state, Role.PROMOTED)) == 1
        and len(in_role(state, Role.UNPROMOTED)) == standbys
        and len(in_role(state, Role.STARTED, "write-vip")) == 1
    )


def can_be_promoted(state: ClusterState, resource: str = "pgsql") -> list[str]:
    """Return the nodes with a positive promotion score, which is what their agent makes it.

    The agent on the primary gives it to standbys that it has seen to stream: without one, nobody
    takes over. Its attribute ends with the name of the resource.
    """
    scores = {
        node: value
        for node, attributes in state.attributes.items()
        for name, value in attributes.items()
        if name.endswith(f"-{resource}")
    }
    return sorted(node for node, score in scores.items() if score.isdigit() and int(score) > 0)


def primary(cluster: Cluster) -> Machine:
    """Return the machine where the database is promoted. ValueError unless it is one."""
    (name,) = in_role(cluster.state(), Role.PROMOTED)
    return cluster[name]


def standbys(cluster: Cluster) -> list[Machine]:
    """Return the nodes where the database is unpromoted, by their names."""
    return [cluster[name] for name in in_role(cluster.state(), Role.UNPROMOTED)]


def pool(cluster: Cluster) -> Weights | None:
    """Return the real servers of the read service, of whichever node has it; None if none has.

    One whose address is no machine's own, as that of a fallback may be, goes by the address. Needs
    no process, so it may be asked all the time.
    """
    names = {machine.address: machine.name for machine in cluster.machines}
    for node in cluster.nodes:
        for key, service in parse_proc(node.host.proc_ipvs()).items() if node.running else ():
            if key.address == READ_VIP:
                servers = service.real_servers.items()
                return {
                    names.get(at.address, at.address): server.config.weight
                    for at, server in servers
                }
    return None


@contextlib.contextmanager
def pool_watched(cluster: Cluster) -> Iterator[list[Weights | None]]:
    """Collect every other pool that a thread that looks again and again sees meanwhile."""
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
