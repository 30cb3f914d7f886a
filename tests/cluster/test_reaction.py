"""Times from a change in the cluster to the kernel's table, with a watcher and without one.

Two directors of the same pool run beside each other, so that both see the same changes.  The
cluster has no databases: their starts and stops would be the larger part of each time.
`--turns 20` measures as often as the figures of the project demand.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.cluster.observed_state import Weights, find_weights
from tests.cluster.timeouts import PATIENCE
from tests.support.processes import CommandFailed
from tests.support.waiting import wait_until

MINUTES = 3  # see tests/support/shared_tests.py
PORT, ATTRIBUTE = 7777, "lvsdr-test-ready"
DIRECTORS = {"watched": "10.77.0.198", "polled": "10.77.0.199"}
"""The directors, with a watcher and without one, and their addresses."""
FILE = "var/log/served.state"  # below a machine's disk, so that this process sees it
INTERVAL = 5.0  # seconds between two monitors of a director
LONGEST = 60.0  # seconds for one change
QUIET = 3.0  # seconds after which a change is not held back by crm_mon
MEMORY = 80  # MiB at most for the resident processes of a director
NOISE = 5  # changes in a row before the measured one

# Without the stickiness the directors would move to the node that has one resource less.
CONFIGURATION = f"""
for node in node1 node2 node3; do
    crm_attribute -N $node -n {ATTRIBUTE} -l forever -v yes
done
pcs resource create served ocf:pacemaker:Dummy state=/{FILE} op monitor interval=60s clone
for director in {" ".join(f"{name}={vip}" for name, vip in DIRECTORS.items())}; do
    name=${{director%=*}} watch=false
    if [ $name = watched ]; then watch=true; fi
    pcs resource create $name ocf:lvsdr:lvsdr vip=${{director#*=}} port={PORT} watch=$watch \\
        realserver_dependent_resource=served-clone \\
        realserver_dependent_attribute_name={ATTRIBUTE} \\
        realserver_dependent_attribute_value=yes on_empty=empty \\
        op start timeout=120s monitor interval={INTERVAL:.0f}s timeout=120s \\
        meta resource-stickiness=1000
done
pcs constraint colocation add polled with watched
"""

LOOK_AT_MEMORY = """
for pid in $(pgrep --session "$(pgrep --oldest -f 'lvsdr/lvsdr watch$')"); do
    sed -n "s/^Pss: *\\([0-9]*\\) kB$/$(cat /proc/$pid/comm) \\1/p" /proc/$pid/smaps_rollup
done
"""


class Change(NamedTuple):
    """A change that takes a node out of the pools; `make` returns the time at which it happened."""

    make: Callable[[], float]
    undo: Callable[[], object]


class Scene:
    """The directors, and another node of their pools."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._directors = {name: self._find(name) for name in DIRECTORS}
        taken = self._directors.values()
        self._node = next(node for node in cluster.nodes if node not in taken)
        self.changes = {
            "attribute": Change(self._leave_by(ATTRIBUTE, "no"), lambda: self._set(ATTRIBUTE)),
            "standby": Change(self._leave_by("standby", "on"), lambda: self._set("standby", "off")),
            "stop": Change(self._stop, self._permit),
        }

    def _find(self, name: str) -> Node:
        def look() -> Node | None:
            return next((each for each in self._cluster.nodes if self._weights(each, name)), None)

        found = wait_until(look, bool, f"the director {name} serves", PATIENCE)
        assert found is not None
        return found

    def _weights(self, director: Node, name: str) -> Weights:
        return find_weights(director, DIRECTORS[name], PORT) or {}

    def _set(self, attribute: str, value: str = "yes") -> None:
        self._cluster.running_node.run(
            ["crm_attribute", "-N", self._node.name, "-n", attribute, "-l", "forever", "-v", value]
        )

    def _leave_by(self, attribute: str, value: str) -> Callable[[], float]:
        def make() -> float:
            begun = time.monotonic()
            self._set(attribute, value)
            return begun

        return make

    def _stop(self) -> float:
        """Have Pacemaker stop the resource on the node; return the time at which it has stopped."""
        self._cluster.running_node.run(
            ["crm_resource", "--ban", "-r", "served-clone", "-N", self._node.name]
        )
        file = self._node.disk / FILE
        wait_until(file.exists, lambda exists: not exists, "the stop", LONGEST, pause=0.01)
        return time.monotonic()

    def _permit(self) -> None:
        self._cluster.running_node.run(
            ["crm_resource", "--clear", "-r", "served-clone", "-N", self._node.name]
        )

    def measure_memory(self) -> list[tuple[str, float]]:
        """Return the resident processes of a director and their mebibytes (proc(5): Pss)."""
        director = self._directors["watched"]
        lines = director.run(["/bin/sh", "-euc", LOOK_AT_MEMORY]).stdout.splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines)
        return [(name, int(kib) / 1024) for name, kib in pairs]

    def make_noise(self) -> None:
        """Change the state of the cluster several times, without an effect on the pools."""
        for number in range(NOISE):
            self._set("noise", str(number))

    def await_pools(self, *, member: bool, since: float) -> dict[str, float]:
        """Wait until the node is in both pools, or in none; return the seconds of each director."""
        seconds: dict[str, float] = {}

        def look() -> int:
            for name in DIRECTORS.keys() - seconds.keys():
                weights = self._weights(self._directors[name], name)
                if bool(weights.get(self._node.address)) == member:
                    seconds[name] = time.monotonic() - since
            return len(seconds)

        wait_until(look, len(DIRECTORS).__eq__, "both pools follow", LONGEST, pause=0.02)
        return seconds


@pytest.fixture(scope="module")
def scene(cluster: Cluster) -> Iterator[Scene]:
    """Yield a new configuration with two directors."""
    cluster.renew()
    cluster.node1.run(["/bin/sh", "-euc", CONFIGURATION], timeout=PATIENCE)
    cluster.settle()
    yield Scene(cluster)
    cluster.configuration = ""


@pytest.fixture
def turns(request: pytest.FixtureRequest) -> int:
    """Return the number of measurements of each kind."""
    number: int = request.config.getoption("--turns")
    return number


@pytest.mark.parametrize("pace", ["quiet", "burst"])
@pytest.mark.parametrize("kind", ["attribute", "standby", "stop"])
def test_a_change_reaches_both_tables(
    cluster: Cluster, scene: Scene, turns: int, kind: str, pace: str
) -> None:
    change, chance = scene.changes[kind], random.Random(1)
    seconds: dict[str, list[float]] = {name: [] for name in DIRECTORS}
    for _ in range(turns):
        time.sleep(QUIET + INTERVAL * chance.random())  # not in step with the monitors
        if pace == "burst":
            scene.make_noise()
        for name, taken in scene.await_pools(member=False, since=change.make()).items():
            seconds[name].append(taken)
        change.undo()
        scene.await_pools(member=True, since=time.monotonic())
    for name, values in seconds.items():
        cluster.progress.say(
            f"{kind}, {pace}, {name}: median {statistics.median(values):.2f} s,"
            f" worst {max(values):.2f} s of {turns}"
        )


def test_the_resident_processes_are_small(cluster: Cluster, scene: Scene) -> None:
    def look() -> list[tuple[str, float]]:
        try:
            return scene.measure_memory()
        except CommandFailed:
            return []  # a cycle has ended meanwhile

    processes = wait_until(look, lambda seen: len(seen) == 2, "no cycle runs")
    cluster.progress.say(", ".join(f"{name} {mib:.1f} MiB" for name, mib in processes))
    assert "crm_mon" in dict(processes)
    assert sum(dict(processes).values()) <= MEMORY
