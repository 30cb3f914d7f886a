"""examples/vip-leader.sh on the cluster: an address that follows a key in a real etcd.

etcd runs on the machine outside of the cluster, and the tests write the key.
"""

from __future__ import annotations

import pytest

from tests.cluster.addresses import OUTSIDE
from tests.cluster.cluster import Cluster
from tests.cluster.leader_vip import PATIENCE, nodes_with_address, wait_for_leader
from tests.cluster.timeouts import PAUSE
from tests.support.waiting import wait_until

MINUTES = 2  # see tests/support/shared_tests.py
URL = f"http://{OUTSIDE}:2379"
ETCD = ["etcd", "--data-dir", "/tmp/etcd", "--listen-client-urls", URL]
ETCD += ["--advertise-client-urls", URL]
ETCDCTL = ["env", "ETCDCTL_API=3", "etcdctl", "--endpoints", URL]
KEY = "/service/mycluster/leader"


@pytest.fixture(scope="module")
def followed(cluster: Cluster) -> Cluster:
    """Return the cluster with the clone, led by node1."""
    cluster.renew()
    start(cluster)
    put(cluster, "node1")
    cluster.configure("vip-leader")
    wait_for_leader(cluster, "node1")
    return cluster


def start(cluster: Cluster) -> None:
    """Start etcd with its stored data, and wait until it answers."""
    cluster.outside.spawn(ETCD)
    health = [*ETCDCTL, "endpoint", "health"]
    wait_until(
        lambda: cluster.outside.run(health, check=False).returncode,
        lambda status: status == 0,
        "etcd answers",
        PATIENCE,
        pause=PAUSE,
    )


def put(cluster: Cluster, name: str) -> None:
    cluster.outside.run([*ETCDCTL, "put", KEY, name])


def test_the_address_follows_the_key(followed: Cluster) -> None:
    assert nodes_with_address(followed) == ["node1"]
    put(followed, "node3")
    seen: list[list[str]] = []

    def look() -> list[str]:
        seen.append(nodes_with_address(followed))
        return seen[-1]

    wait_until(
        look, lambda found: found == ["node3"], "the address is on node3", PATIENCE, pause=PAUSE
    )
    assert max(map(len, seen)) == 1
    wait_for_leader(followed, "node3")
    assert nodes_with_address(followed) == ["node3"]


def test_without_an_answer_it_goes_after_the_grace_and_comes_back(followed: Cluster) -> None:
    put(followed, "node2")
    wait_for_leader(followed, "node2")
    followed.outside.run(["pkill", "-KILL", "-x", "etcd"])
    wait_until(
        lambda: nodes_with_address(followed),
        lambda found: not found,
        "it is released",
        PATIENCE,
        pause=PAUSE,
    )
    start(followed)
    wait_until(
        lambda: nodes_with_address(followed),
        lambda found: found == ["node2"],
        "it is back",
        PATIENCE,
        pause=PAUSE,
    )
    wait_for_leader(followed, "node2")
