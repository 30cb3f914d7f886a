"""A drill: an event happens while clients hold sessions and open new ones; then it settles.

The report contains the clients' results and the times until the cluster was as required. The
cluster has no fencing: if a node is only out of sight, the others assume that it is dead. So a
drill never freezes or cuts off the primary.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from lvsdr.pacemaker.cluster import ClusterState, Role

from tests.cluster import foreign_service
from tests.cluster.addresses import NODES, READ_VIP
from tests.cluster.clients import Clients, Session, connect
from tests.cluster.cluster import Cluster
from tests.cluster.machine import Machine
from tests.cluster.node import Node
from tests.cluster.observed_state import (
    Weights,
    directors,
    in_role,
    is_score,
    pool,
    pool_watched,
    serving,
    steady,
)
from tests.cluster.report import INTERVAL, Lap, Report
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.support.waiting import wait_until

Seen = TypeVar("Seen")
LOOK = 0.1  # seconds between two reads of a kernel's table


class Nodes(NamedTuple):
    """Parts of the nodes at the beginning of a drill."""

    primary: Node
    standby: Node
    """A standby that does not balance."""
    other: Node
    """The other standby, which may balance."""
    director: Node


class Drill:
    """A drill on a cluster that is whole: `with Drill(name, cluster) as drill: …`."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        self.name, self.cluster = name, cluster
        self.clients = Clients(cluster.client)
        self.seen: Sequence[Weights | None] = []
        self.laps: list[Lap] = []
        self.story: list[str] = []
        self._began = time.monotonic()
        self._watching = contextlib.ExitStack()

    def __enter__(self) -> Drill:
        self._watching.enter_context(self.clients)
        self.seen = self._watching.enter_context(pool_watched(self.cluster))
        return self

    def __exit__(self, *_: object) -> None:
        self._watching.close()

    @functools.cached_property
    def nodes(self) -> Nodes:
        """Return the parts at the first call. Raise ValueError without a replicated database."""
        return who_is_who(self.cluster)

    def report(self) -> Report:
        """Return the results of the clients so far. All sessions are tried."""
        clients = self.clients
        failed, gap, sessions = len(clients.failures), clients.longest_gap, len(clients.sessions)
        counts = failed, len(clients.visits), gap, clients.broken(), sessions
        return Report(self.name, *counts, tuple(self.laps), tuple(self.story))

    # --- events

    def happens(self) -> float:
        """Mark the event: times are measured from now on. Return this moment."""
        self._began = time.monotonic()
        return self._began

    def failing(self) -> Lap:
        """Record the time after the event until new connections no longer failed."""
        moments = [each.began - self._began for each in self.clients.failures]
        return self._write("failing", max([0.0, *moments]))

    def gap(self) -> float:
        """Return the longest time without a new connection, in intervals of the monitor."""
        return self.clients.longest_gap / INTERVAL

    def start(self, node: Node) -> None:
        """Switch on a node that has lost its power, and restore its foreign service."""
        node.start()
        foreign_service.add(node)

    # --- waits

    def wait_for_pool(self, what: str, *names: str, seen_by: Sequence[Node] = ()) -> Lap:
        """Wait until exactly these get new connections; record the time as `name`.

        Only the kernels of `seen_by` count, if that is given.
        """
        return self.wait_for(
            what,
            lambda: pool(self.cluster, seen_by or self.cluster.nodes),
            lambda seen: serving(seen) == set(names),
        )

    def wait_for(
        self,
        what: str,
        look: Callable[[], Seen],
        wanted: Callable[[Seen], object],
        pause: float = LOOK,
    ) -> Lap:
        """Wait until `look` returns a wanted value; record the time as `name`."""
        wait_until(look, wanted, f"{self.name}: {what}", PATIENCE, pause)
        return self.lap(what)

    def wait_for_state(
        self, what: str, wanted: Callable[[ClusterState], object], seen_by: Node | None = None
    ) -> Lap:
        """Wait until the cluster's state is as wanted; record the time as `name`."""
        self.cluster.wait_for(wanted, f"{self.name}: {what}", PATIENCE, seen_by)
        return self.lap(what)

    def wait_until_whole(self, what: str = "whole") -> Lap:
        """Wait until all three nodes do their parts and the standbys get the new connections."""
        wait_until_whole(self.cluster)
        return self.lap(what)

    def until_served(self) -> Lap:
        """Wait until a new connection succeeds that began after this call."""
        now = time.monotonic()
        return self.wait_for(
            "served", lambda: self.clients.servers_since(now), lambda seen: any(seen.keys())
        )

    def lap(self, what: str) -> Lap:
        """Record the time until now."""
        return self._write(what, self._seconds())

    def tell(self, what: str) -> None:
        """Add a line with the time to the story of the drill."""
        self.story.append(f"{len(self.story) + 1:4} {Lap(what, self._seconds())}")

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _write(self, what: str, seconds: float) -> Lap:
        self.laps.append(Lap(what, seconds))
        return self.laps[-1]

    def session_on(self, node: Machine) -> Session:
        """Open another session through the virtual address, on this machine."""
        # one in turn for each machine, and other clients take some turns
        for _ in range(2 * len(NODES)):
            session = connect(self.cluster.client)
            if session.server == node.name:
                return session
            session.close()
        raise AssertionError(f"no new connection to {READ_VIP} lands on {node.name}")


def who_is_who(cluster: Cluster) -> Nodes:
    """Return the parts of the nodes.

    Raises ValueError unless there are a primary and two standbys.
    """
    state = cluster.state()
    by_name = {node.name: node for node in cluster.nodes}
    (director,) = directors(cluster)
    (primary,) = (by_name[name] for name in in_role(state, Role.PROMOTED))
    found = [by_name[name] for name in in_role(state, Role.UNPROMOTED)]
    standby, other = sorted(found, key=lambda node: node is director)
    return Nodes(primary, standby, other, director)


def move_director(cluster: Cluster, node: Node) -> None:
    """Move the director as an administrator does."""
    command = ["crm_resource", "--resource", "director"]
    node.run([*command, "--move", "--node", node.name])
    wait_until(
        lambda: directors(cluster), lambda found: found == [node], "it moves", PATIENCE, pause=PAUSE
    )
    node.run([*command, "--clear"])


def rebuild(cluster: Cluster, node: Node) -> None:
    """Make a former primary, which is switched off, a standby.

    Its promotion score survives the power cut. It would be promoted as soon as it joins, unless its
    successor's score is as high by then.
    """
    cluster.rebuild_database(node)
    successor = cluster.running_node
    attributes = cluster.state().attributes.get(successor.name, {})
    for name in filter(is_score, attributes):
        forget = ["--lifetime", "forever", "--node", node.name, "--name", name, "--delete"]
        successor.run(["crm_attribute", *forget])


def wait_until_whole(cluster: Cluster) -> None:
    """Wait until all three nodes do their parts and exactly the standbys get new connections."""

    def whole(state: ClusterState) -> bool:
        standbys = set(in_role(state, Role.UNPROMOTED))
        return (
            steady(state, *NODES)
            and serving(pool(cluster)) == standbys
            and [node.name for node in directors(cluster)]
            == in_role(state, Role.STARTED, "director")
        )

    cluster.wait_for(whole, "the cluster is whole", PATIENCE)
    cluster.is_up()


def recover(cluster: Cluster, director: Role = Role.UNPROMOTED) -> None:
    """Make the cluster whole after a drill, with the director on a node of this role."""
    for node in cluster.nodes:
        if node.running:
            node.plug_in()
            node.thaw()
        else:
            rebuild(cluster, node)
            node.start()
    for name, member in cluster.wait_for_nodes().nodes.items():
        if member.standby:
            cluster.running_node.pcs("node", "unstandby", name)
    wait_until_whole(cluster)
    nodes = who_is_who(cluster)
    if (director is Role.PROMOTED) != (nodes.director is nodes.primary):
        move_director(cluster, nodes.primary if director is Role.PROMOTED else nodes.standby)
        wait_until_whole(cluster)
    # A fallback that served, for example, leaves once its connections are over.
    wait_until(lambda: pool(cluster), _is_settled, "no real server drains", PATIENCE, pause=PAUSE)


def _is_settled(weights: Weights | None) -> bool:
    return weights is not None and all(weights.values())
