"""Weights in node attributes on a live cluster, set as an administrator does."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.cluster.observed_state import Weights, find_weights
from tests.support.waiting import wait_until

TOGETHER = "drills"  # see tests/support/shared_tests.py
VIP, PORT, OUTSIDE = "10.77.0.198", 7778, "10.77.0.197"
NAME = "lvsdr-test-weight"  # the weights of the example's director stay as they are
PATIENCE = 120.0  # seconds; the monitor comes every ten minutes, so only a watcher can be faster


@pytest.fixture
def director(replicated: Cluster) -> Iterator[Node]:
    """Yield the node of a second director, whose pool is all nodes and a host outside."""
    node = replicated.running_node
    listed = " ".join([*(each.name for each in replicated.nodes), OUTSIDE])
    node.pcs(
        *("resource", "create", "weighed", "ocf:lvsdr:lvsdr", f"vip={VIP}", f"port={PORT}"),
        *(f"weight_of_realservers={listed}", f"realserver_weight_attribute={NAME}"),
        *("op", "monitor", "interval=600s", "timeout=30s", "meta", "critical=false"),
    )
    try:
        yield _await_director(replicated)
    finally:
        node.pcs("resource", "delete", "weighed", "--force")
        replicated.settle()


def _await_director(cluster: Cluster) -> Node:
    wait_until(lambda: _find(cluster), bool, "the second director runs", PATIENCE)
    found = _find(cluster)
    assert found is not None
    return found


def _find(cluster: Cluster) -> Node | None:
    return next((node for node in cluster.nodes if _weights(node)), None)


def _weights(node: Node) -> Weights:
    """Return the weights of the second service in a node's kernel, by address."""
    return find_weights(node, VIP, PORT) or {}


def _await_weight(director: Node, address: str, weight: int) -> float:
    """Wait until an address has a weight; return the seconds."""
    begun = time.monotonic()
    name = f"{address} to have weight {weight}"
    wait_until(lambda: _weights(director).get(address), weight.__eq__, name, PATIENCE)
    return time.monotonic() - begun


def _other(cluster: Cluster, director: Node) -> Node:
    return next(each for each in cluster.nodes if each is not director)


@pytest.mark.parametrize("lifetime", ["forever", "reboot"])
def test_an_attribute_drains_a_node(replicated: Cluster, director: Node, lifetime: str) -> None:
    node = _other(replicated, director)
    command = ["crm_attribute", "--node", node.name, "--name", NAME, "--lifetime", lifetime]
    seconds = []
    for weight in (0, 5):
        director.run([*command, "--update", str(weight)])
        seconds.append(_await_weight(director, node.address, weight))
    assert f"{NAME} " in director.run(["crm_mon", "-1A"]).stdout
    director.run([*command, "--delete"])
    seconds.append(_await_weight(director, node.address, 1))
    print(f"{lifetime}: seconds to the table:", " ".join(f"{each:.2f}" for each in seconds))


def test_a_drain_survives_the_move_of_the_director(replicated: Cluster, director: Node) -> None:
    node = _other(replicated, director)
    director.run(["crm_attribute", "--node", node.name, "--name", NAME, "--update", "0"])
    _await_weight(director, node.address, 0)
    director.pcs("resource", "move", "weighed", _other(replicated, director).name)
    wait_until(lambda: _find(replicated) not in (None, director), bool, "the move", PATIENCE)
    moved = _await_director(replicated)
    assert _weights(moved)[node.address] == 0
    director.run(["crm_attribute", "--node", node.name, "--name", NAME, "--delete"])
    _await_weight(moved, node.address, 1)


@pytest.mark.parametrize("options", [["--id", "weight-197"], ["--lifetime", "reboot"]])
def test_an_attribute_of_any_node_drains_a_host_outside(
    replicated: Cluster, director: Node, options: list[str]
) -> None:
    node = _other(replicated, director)
    command = ["crm_attribute", "--node", node.name, "--name", f"{NAME}@{OUTSIDE}", *options]
    director.run([*command, "--update", "0"])
    _await_weight(director, OUTSIDE, 0)
    # The configuration stays valid: further changes are accepted.
    director.pcs("resource", "update", "weighed", "default_weight=2")
    _await_weight(director, node.address, 2)
    assert _weights(director)[OUTSIDE] == 0
    director.run([*command, "--delete"])
    _await_weight(director, OUTSIDE, 2)
