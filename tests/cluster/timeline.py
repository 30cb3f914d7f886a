"""Events in a cluster, printed as they happen: nodes, the database, and the pool."""

from __future__ import annotations

import contextlib
import threading
import time

from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState, Node, Role

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node as ClusterNode
from tests.cluster.observed_state import DATABASE, Weights, in_role, pool
from tests.lab.show.screen import Screen, Styled

LOOK = 0.2  # seconds between two reads of the state

Sight = dict[str, str]
"""Visible states, by the object that has them."""

STYLES = {
    "OFFLINE": "red",
    "down": "red",
    "nowhere": "red",
    "Promoted": "green",
    "Unpromoted": "green",
    "online": "green",
}


def look(cluster: Cluster, observer: ClusterNode) -> Sight:
    """Return the state that crm_mon shows on a node, and the director's table."""
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
    """Return the members of the pool as text, with the draining ones marked."""
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
    """Printer of all changes, with their times, on `screen` until the end of a `with`."""

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
        """Return the seconds since the begin."""
        return time.monotonic() - self._began

    def _run(self) -> None:
        while not self._done.wait(LOOK):
            with contextlib.suppress(OSError, StopIteration):  # a node may be losing its power
                self._tell(self._look())
        self._tell(self._look())

    def _look(self) -> Sight:
        # A node that has just booted does not see the others yet, so the observer stays.
        if not self._observer.running:
            self._observer = self._cluster.running_node
        return look(self._cluster, self._observer)

    def _tell(self, now: Sight) -> None:
        for what, value in now.items():
            if value != self._seen.get(what, "down"):
                when = Styled(f"{self.seconds:7.1f} s  ", "dim")
                self._screen.line(when, f"{what}: ", Styled(value, STYLES.get(value, "bold")))
        self._seen.update(now)
