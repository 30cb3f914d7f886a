"""Three independent hosts and a leader's key that changes at random: never two have the address.

Pacemaker does not order the hosts' actions here, and duplicate_check is off. Only the store's
answer, and the time for which it is valid, prevent a second holder.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leader.etcd import Cluster
from tests.leader.network import Host
from tests.leader.vip_gate import ADDRESS, PROMOTED, Instance, gated
from tests.leader.worker import Worker
from tests.support.waiting import wait_until

NODES = ("node1", "node2", "node3")
GRACE = 6.0
INTERVAL = 0.5  # seconds; less than a third of the grace, even if processes are slow
# seconds until another leader follows one that was cut off: more than grace and interval
LEASE = 10.0
STEPS = 14


class Member:
    """A host that runs monitors, and a promotion whenever it has a score."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.promotions = 0
        self.problems: list[str] = []
        self._worker = Worker(self._live)

    def stop(self) -> None:
        self._worker.stop()

    def _live(self, over: threading.Event) -> None:
        while not over.wait(INTERVAL):
            done = self.instance.monitor()
            if done.code not in (0, PROMOTED, 190, 191):
                self.problems.append(f"{self.instance.host.name}: {done}")
            if done.code == 0 and self.instance.score:
                self.promotions += self.instance.run("promote").code == 0


class Watcher:
    """Continuous watcher of the holders of the address."""

    def __init__(self, hosts: list[Host]) -> None:
        self.seen: list[list[str]] = []
        self._hosts = hosts
        self._worker = Worker(self._live)

    def stop(self) -> None:
        self._worker.stop()

    def _live(self, over: threading.Event) -> None:
        while not over.wait(0.02):
            self.seen.append([host.name for host in self._hosts if has_it(host)])


def has_it(host: Host) -> bool:
    """Return whether the host has the address, read from its kernel's routes without a process."""
    with host.entered(), open("/proc/thread-self/net/fib_trie") as file:
        return f"|-- {ADDRESS}\n" in file.read()


@pytest.fixture
def members(
    etcd: Cluster, hosts: dict[str, Host], tmp_path: Path
) -> Iterator[tuple[dict[str, Member], Watcher]]:
    settings = gated(
        etcd.endpoints, dcs_grace=f"{GRACE:g}s", duplicate_check="false", arp_count="1"
    )
    instances = {name: Instance(hosts[name], tmp_path, settings) for name in NODES}
    for instance in instances.values():
        instance.must("start")
    made = {name: Member(instance) for name, instance in instances.items()}
    watcher = Watcher([hosts[name] for name in NODES])
    yield made, watcher
    for member in made.values():
        member.stop()
    watcher.stop()
    for instance in instances.values():
        instance.host.plug()
        instance.must("stop")


@pytest.mark.parametrize("seed", [1, 2])
def test_at_no_time_two(
    members: tuple[dict[str, Member], Watcher], etcd: Cluster, seed: int
) -> None:
    nodes, watcher = members
    dice = random.Random(seed)
    leader = "node1"
    for _ in range(STEPS):
        what = dice.choice(["name", "name", "name", "delete", "cut off"])
        other = dice.choice([name for name in NODES if name != leader])
        if what == "delete":
            etcd.delete()
        elif what == "cut off":
            nodes[leader].instance.host.unplug("front")
            time.sleep(LEASE)
            etcd.put(other)
            time.sleep(dice.uniform(0, GRACE))
            nodes[leader].instance.host.plug()
            leader = other
        else:
            etcd.put(other)
            leader = other
        time.sleep(dice.choice([0.1, 1.0, GRACE]) * dice.uniform(0.5, 1.5))
    etcd.put(leader)
    wait_until(lambda: watcher.seen[-1] == [leader])
    assert [holders for holders in watcher.seen if len(holders) > 1] == []
    assert not [problem for member in nodes.values() for problem in member.problems]
    assert sum(member.promotions for member in nodes.values()) > 2
