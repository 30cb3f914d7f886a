"""The cluster before it is configured, and unexpected ends of Pacemaker.

The tests share one bring-up: each leaves less of the cluster than it has found.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.addresses import NODES
from tests.cluster.cluster import Cluster
from tests.cluster.node import Node
from tests.cluster.progress import Progress
from tests.cluster.timeouts import PAUSE
from tests.cluster.unexpected_end import PacemakerEnded
from tests.support.waiting import wait_until

MINUTES = 1  # see tests/support/shared_tests.py
PATIENCE = 60.0  # seconds


@pytest.fixture(scope="module")
def lines(cluster: Cluster) -> Iterator[list[str]]:
    """Yield the report lines of a bring-up in which Pacemaker ends on node2."""
    progress, lines = cluster.progress, list[str]()
    cluster.progress = Progress(lines.append)
    cluster.start()
    kill_pacemakerd(cluster.node2)
    cluster.wait_for_nodes()
    yield lines
    cluster.progress = progress


def kill_pacemakerd(node: Node) -> None:
    """Kill pacemakerd as soon as it runs."""
    kill = ["pkill", "-KILL", "-x", "pacemakerd"]
    wait_until(
        lambda: node.run(kill, check=False).returncode,
        lambda status: status == 0,
        f"pacemakerd runs on {node.name}",
        PATIENCE,
        pause=PAUSE,
    )


def ends(lines: list[str]) -> list[str]:
    """Return the lines about ends of Pacemaker, without their times."""
    return [line.partition(" s: ")[2] for line in lines if "pacemakerd" in line]


def test_three_nodes_form_a_cluster(cluster: Cluster, lines: list[str]) -> None:
    assert sorted(cluster.state().nodes) == sorted(NODES)
    for node in cluster.nodes:
        quorum = node.run(["corosync-quorumtool", "-s"], check=False).stdout
        assert "Quorate:          Yes" in quorum
    restarted = "node2: pacemakerd was killed by SIGKILL while it came up; starting it again"
    assert ends(lines) == [restarted]


def test_pacemaker_is_not_started_again_twice(cluster: Cluster, lines: list[str]) -> None:
    kill_pacemakerd(cluster.node2)
    with pytest.raises(PacemakerEnded, match="node2: pacemakerd was killed by") as failure:
        cluster.settle()
    assert cluster.node2.log().splitlines()[-1] in str(failure.value)
    assert len(ends(lines)) == 1


def test_pacemaker_that_a_test_ends_is_no_error(cluster: Cluster, lines: list[str]) -> None:
    """An end by SIGKILL on node2, or by SIGTERM on node3, is no error if it is announced."""
    cluster.node2.let_pacemaker_end()
    cluster.node2.run(["pkill", "-KILL", "pacemaker"])  # its daemons outlive pacemakerd
    cluster.node3.run(["pkill", "-TERM", "-x", "pacemakerd"])
    wait_until(
        cluster.node3.pacemaker_status,
        lambda status: status == 0,
        "it stops",
        PATIENCE,
        pause=PAUSE,
    )
    cluster.wait_for_nodes(cluster.node3, cluster.node2)
    assert len(ends(lines)) == 1


def test_pacemaker_that_ends_on_a_node_that_is_up_is_an_error(
    cluster: Cluster, lines: list[str]
) -> None:
    cluster.is_up()
    kill_pacemakerd(cluster.node1)
    with pytest.raises(PacemakerEnded, match="node1: pacemakerd was killed by"):
        cluster.wait_for_nodes()
    assert len(ends(lines)) == 1
