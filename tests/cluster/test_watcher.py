"""The watcher on a live cluster: changes reach the kernel's table long before the next monitor."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from lvsdr.watcher.schedule import PERIOD

from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.cluster.observed_state import find_weights
from tests.support.waiting import wait_until

WATCHER = re.compile(r"lvsdr/lvsdr watch$")

TOGETHER = "drills"  # see tests/support/shared_tests.py
VIP, PORT, ATTRIBUTE = "10.77.0.199", 7777, "lvsdr-test-ready"
PATIENCE = 120.0  # seconds; the monitor comes every ten minutes, so only a watcher can be faster
TURNS = 10


@pytest.fixture
def director(replicated: Cluster) -> Iterator[Node]:
    """Yield the node of a second director, whose pool is the nodes with an attribute."""
    node = replicated.running_node
    node.pcs(
        *("resource", "create", "watched", "ocf:lvsdr:lvsdr", f"vip={VIP}", f"port={PORT}"),
        f"realserver_dependent_attribute_name={ATTRIBUTE}",
        *("realserver_dependent_attribute_value=yes", "on_empty=empty"),
        *("op", "monitor", "interval=600s", "timeout=30s", "meta", "critical=false"),
    )
    try:
        wait_until(lambda: _find(replicated), bool, "the second director runs", PATIENCE)
        found = _find(replicated)
        assert found is not None
        yield found
    finally:
        node.pcs("resource", "delete", "watched", "--force")
        replicated.settle()


def _find(cluster: Cluster) -> Node | None:
    return next((node for node in cluster.nodes if find_weights(node, VIP, PORT) is not None), None)


def _set(director: Node, node: Node, *, ready: bool) -> None:
    """Set the attribute of a node."""
    value = "yes" if ready else "no"
    director.run(["crm_attribute", "-N", node.name, "-n", ATTRIBUTE, "-l", "reboot", "-v", value])


def _await(director: Node, node: Node, *, ready: bool) -> None:
    """Wait until a node gets connections, or no more of them."""
    wait_until(
        lambda: _serves(director, node),
        ready.__eq__,
        f"{node.name} to follow its attribute",
        PATIENCE,
    )


def _serves(director: Node, node: Node) -> bool:
    return bool((find_weights(director, VIP, PORT) or {}).get(node.address))


def _watchers(node: Node) -> set[str]:
    """Return the watchers on a node.

    Each leads its session.  A child that begins a cycle looks like one until it runs its program.
    """
    lines = node.run(["ps", "-e", "-o", "pid=,sid=,args="]).stdout.splitlines()
    processes = (line.split(None, 2) for line in lines)
    return {
        pid for pid, session, command in processes if pid == session and WATCHER.search(command)
    }


def _other(cluster: Cluster, director: Node) -> Node:
    return next(each for each in cluster.nodes if each is not director)


def test_an_attribute_reaches_the_table_without_a_monitor(
    replicated: Cluster, director: Node
) -> None:
    node = _other(replicated, director)
    seconds = []
    for turn in range(TURNS):
        begun = time.monotonic()
        ready = turn % 2 == 0
        _set(director, node, ready=ready)
        _await(director, node, ready=ready)
        seconds.append(time.monotonic() - begun)
        time.sleep(turn % 5)  # bursts and quiet times
    print("seconds from the command to the table:", " ".join(f"{each:.2f}" for each in seconds))


def test_a_resource_in_maintenance_is_left_alone(replicated: Cluster, director: Node) -> None:
    node = _other(replicated, director)
    _set(director, node, ready=True)
    _await(director, node, ready=True)
    watchers = _watchers(director)
    assert watchers
    director.pcs("resource", "update", "watched", "meta", "maintenance=true")
    _set(director, node, ready=False)
    time.sleep(PERIOD + 2)
    assert _serves(director, node)
    director.pcs("resource", "update", "watched", "meta", "maintenance=")
    _await(director, node, ready=False)
    assert watchers <= _watchers(director)


def test_it_survives_a_restart_of_pacemaker_in_maintenance(
    replicated: Cluster, director: Node
) -> None:
    node = _other(replicated, director)
    _set(director, node, ready=True)
    _await(director, node, ready=True)
    watchers = _watchers(director)
    assert watchers
    node.pcs("property", "set", "maintenance-mode=true")
    director.let_pacemaker_end()
    director.run(
        ["/bin/sh", "-c", "pkill -TERM pacemakerd; while pgrep pacemakerd; do sleep 0.1; done"]
    )
    assert _serves(director, node)
    director.restart()
    replicated.wait_for_nodes()
    assert _serves(director, node)
    assert watchers <= _watchers(director)
    node.pcs("property", "set", "maintenance-mode=")
    for ready in (False, True):
        _set(director, node, ready=ready)
        _await(director, node, ready=ready)
    assert watchers <= _watchers(director)
    replicated.settle()
