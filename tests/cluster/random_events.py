"""Random events in a cluster, which comes to rest after each.

At most one node is away at a time, because the others would lose the quorum. The cluster has no
fencing. So the director's node never freezes: its kernel would go on balancing and answering for
the address. The primary's node is neither frozen nor cut off: the primary would go on writing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lvsdr.ipvs.text import parse_proc
from lvsdr.pacemaker.cluster import ClusterState, Role

from tests.cluster import postgres
from tests.cluster.addresses import READ_VIP, WRITE_VIP
from tests.cluster.drill import Drill, move_director, rebuild
from tests.cluster.node import Node
from tests.cluster.observed_state import can_be_promoted, directors, in_role, pool, steady
from tests.cluster.timeouts import PATIENCE, PAUSE
from tests.support.waiting import wait_until

SERVICE = f"-t {READ_VIP}:{postgres.PORT}"
LIKELY = 0.5  # probability that an absent node comes back; that, if there is none, one goes away


ComeBack = Callable[[], object]


class RandomEvents:
    """Random events in the cluster of a drill."""

    def __init__(self, drill: Drill, dice: random.Random) -> None:
        self.drill, self.cluster, self._dice = drill, drill.cluster, dice
        self._away: Node | None = None
        self._come_back: ComeBack | None = None

    # --- parts of the nodes

    @property
    def here(self) -> list[Node]:
        """Return the nodes that are not away."""
        return [node for node in self.cluster.nodes if node is not self._away]

    @property
    def director(self) -> Node:
        """Return the director's node."""
        (node,) = directors(self.cluster)
        return node

    def having(self, role: Role) -> list[Node]:
        """Return the nodes where the database has this role."""
        names = in_role(self.here[0].state(), role)
        return [node for node in self.here if node.name in names]

    def followers(self) -> list[Node]:
        """Return the standbys' nodes."""
        return self.having(Role.UNPROMOTED)

    def bystanders(self) -> list[Node]:
        """Return the standbys' nodes that are not the director's."""
        director = self.director
        return [node for node in self.followers() if node is not director]

    def not_balancing(self) -> list[Node]:
        """Return the nodes that are not the director's."""
        director = self.director
        return [node for node in self.here if node is not director]

    # --- steps

    def step(self) -> str:
        """Cause an event, and return its description."""
        likely = self._dice.random() < LIKELY
        if self._away and likely:
            return self.back()
        events = STAYING if self._away or likely else LEAVING
        name = self._dice.choice(sorted(events))
        event = events[name]
        node = self._dice.choice(event.befalls(self))
        come_back = event.happens(self, node)
        if come_back:
            self._away, self._come_back = node, come_back
        return f"{node.name} {name}"

    def back(self) -> str:
        """Let the absent node come back, if there is one."""
        node, come_back = self._away, self._come_back
        self._away = self._come_back = None
        if not node or not come_back:
            return "no node is away"
        come_back()
        return f"{node.name} is back"

    def rest(self) -> None:
        """Wait until the present nodes do all parts, and the pool is right."""
        names = sorted(node.name for node in self.here)
        self.cluster.wait_for(
            lambda state: steady(state, *names) and self._balances(state),
            f"all is well on {', '.join(names)}",
            PATIENCE,
            seen_by=self.here[0],
        )

    def _balances(self, state: ClusterState) -> bool:
        """Return whether the only service is that of Pacemaker's director, with the right pool."""
        found = directors(self.cluster)
        return (
            len(found) == 1
            and [node.name for node in found] == in_role(state, Role.STARTED, "director")
            and follows(pool(self.cluster, found) or {}, state)
        )


def follows(weights: Mapping[str, int], state: ClusterState) -> bool:
    """Return whether this is the pool that the state of the cluster implies.

    It contains all standbys, or else the primary, by the address that follows it. Real servers on
    live nodes may remain with a weight of 0, while they have connections.
    """
    wanted = in_role(state, Role.UNPROMOTED) or [WRITE_VIP]
    alive = {WRITE_VIP, *(node.name for node in state.nodes.values() if node.online)}
    serve = {name: weight for name, weight in weights.items() if weight}
    return serve == dict.fromkeys(wanted, 1) and weights.keys() <= alive


# --- events of a node; an event that makes it leave returns the function for its return


def _crash(events: RandomEvents, node: Node) -> ComeBack:
    leads = node in events.having(Role.PROMOTED)
    if leads:  # otherwise no standby is promoted
        events.cluster.wait_for(
            lambda state: len(can_be_promoted(state)) == len(events.here), "scores", PATIENCE
        )
    node.crash()

    def come_back() -> None:
        if leads:
            rebuild(events.cluster, node)
        events.drill.start(node)

    return come_back


def _cut_off(_: RandomEvents, node: Node) -> ComeBack:
    node.cut_off()
    return node.plug_in


def _freeze(_: RandomEvents, node: Node) -> ComeBack:
    node.freeze()
    return node.thaw


def _standby(events: RandomEvents, node: Node) -> ComeBack:
    events.drill.clients.leave(node.name)
    node.standby()
    return node.unstandby


def _kill(_: RandomEvents, node: Node) -> None:
    killed = postgres.pid(node)
    postgres.kill(node)
    wait_until(
        lambda: postgres.pid(node),
        lambda seen: seen not in ("", killed),
        "it restarts",
        PATIENCE,
        pause=PAUSE,
    )


def _move(events: RandomEvents, node: Node) -> None:
    move_director(events.cluster, node)


def _reweigh(_: RandomEvents, node: Node) -> None:
    table = parse_proc(node.host.proc_ipvs())
    servers = next(it.real_servers for key, it in table.items() if key.address == READ_VIP)
    node.host.restore_ipvs("".join(f"-e {SERVICE} -r {at.address} -g -w 9\n" for at in servers))


def _delete(_: RandomEvents, node: Node) -> None:
    node.host.restore_ipvs(f"-D {SERVICE}\n")


class Event(NamedTuple):
    """A possible event, and the nodes that it may affect now."""

    happens: Callable[[RandomEvents, Node], ComeBack | None]
    befalls: Callable[[RandomEvents], list[Node]]


LEAVING = {
    "crashes": Event(_crash, lambda events: events.here),
    "freezes": Event(_freeze, RandomEvents.bystanders),
    "goes on standby": Event(_standby, lambda events: events.here),
    "is cut off": Event(_cut_off, RandomEvents.followers),
}
STAYING = {
    "has its database killed": Event(_kill, RandomEvents.followers),
    "gets the director": Event(_move, RandomEvents.not_balancing),
    "has other weights": Event(_reweigh, lambda events: [events.director]),
    "has its service deleted": Event(_delete, lambda events: [events.director]),
}
