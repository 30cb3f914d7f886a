"""The cluster itself, before anything is configured."""

from __future__ import annotations

from tests.cluster.cluster import Cluster
from tests.cluster.places import NODES


def test_three_nodes_form_a_cluster(cluster: Cluster) -> None:
    cluster.renew()
    assert sorted(cluster.state().nodes) == sorted(NODES)
    for node in cluster.nodes:
        quorum = node.run(["corosync-quorumtool", "-s"], check=False).stdout
        assert "Quorate:          Yes" in quorum
