"""What happens in a cluster, line by line as it happens: nodes, the database, and the pool."""

from __future__ import annotations

import contextlib
import threading
import time

from lvsdr.cluster import ClusterState, Node, Role
from lvsdr.errors import SourceUnavailable

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node as ClusterNode
from tests.cluster.views import DATABASE, Weights, in_role, pool
from tests.lab.show.screen import Screen, Styled

LOOK = 0.2  # seconds from one look to the next

Sight = dict[str, str]
"""What is to be seen, by what it is said of."""

STYLES = {
    "OFFLINE": "red",
    "down": "red",
    "nowhere": "red",
    "Promoted": "green",
    "Unpromoted": "green",
    "online": "green",
}


def look(cluster: Cluster, observer: ClusterNode) -> Sight:
    """See what crm_mon says on a node, and what the director's kernel has in its table."""
    try:
        state = observer.recent_state()
    except SourceUnavailable:
        return {}
    sight = {name: _presence(node) for name, node in state.nodes.items()}
    sight.update({f"PostgreSQL on {name}": _role(state, name) for name in state.nodes})
    for label, resource in (("address for writes", "write-vip"), ("director", "lvsdr")):
        sight[label] = ", ".join(in_role(state, Role.STARTED, resource)) or "nowhere"
    sight["pool"] = in_words(pool(cluster))
    return sight


def in_words(weights: Weights | None) -> str:
    """Say who is in the pool, and who only finishes what it has."""
    if weights is None:
        return "nowhere"
    said = (f"{name}{'' if weight else ' (drains)'}" for name, weight in sorted(weights.items()))
    return ", ".join(said) or "empty"


def _presence(node: Node) -> str:
    if not node.online:
        return "OFFLINE"
    return "on standby" if node.standby else "online"


def _role(state: ClusterState, name: str) -> str:
    roles = [it.role.value for it in state.resources.get(DATABASE, ()) if it.node == name]
    return next(iter(roles), "down")


class Timeline:
    """Shows on `screen`, for as long as a `with` lasts, whatever changes, and when."""

    def __init__(self, cluster: Cluster, screen: Screen) -> None:
        self._cluster, self._screen = cluster, screen
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timeline")
        self._observer = cluster.running_node
        self._began = time.monotonic()
        self._seen: Sight = {}

    def __enter__(self) -> Timeline:
        self._began = time.monotonic()
        self._observer = self._cluster.running_node
        self._seen = self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._screen.line()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began

    def _run(self) -> None:
        while not self._done.wait(LOOK):
            with contextlib.suppress(OSError, StopIteration):  # one may be losing its power
                self._tell(self._look())
        self._tell(self._look())

    def _look(self) -> Sight:
        # One that has only just booted does not see the others yet.
        if not self._observer.running:
            self._observer = self._cluster.running_node
        return look(self._cluster, self._observer)

    def _tell(self, now: Sight) -> None:
        for what, value in now.items():
            if value != self._seen.get(what, "down"):
                when = Styled(f"{self.seconds:7.1f} s  ", "dim")
                self._screen.line(when, f"{what}: ", Styled(value, STYLES.get(value, "bold")))
        self._seen.update(now)
