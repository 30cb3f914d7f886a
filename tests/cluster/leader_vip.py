"""Promotion of the address that follows a leader, and the nodes that have the address."""

from __future__ import annotations

import json

from lvsdr.pacemaker.cluster import Role

from tests.cluster.addresses import READ_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.observed_state import in_role

PATIENCE = 300.0  # seconds
NAME = "leader-vip"


def wait_for_leader(cluster: Cluster, *names: str) -> None:
    """Wait until exactly these nodes are promoted, and the cluster is idle."""
    cluster.wait_for(
        lambda state: in_role(state, Role.PROMOTED, NAME) == list(names),
        f"{', '.join(names) or 'no node'} is promoted",
        PATIENCE,
    )
    cluster.settle()


def nodes_with_address(cluster: Cluster) -> list[str]:
    """Return the nodes that have the address."""
    found = []
    for node in cluster.nodes:
        devices = json.loads(node.run(["ip", "-json", "address"]).stdout)
        if READ_VIP in {entry["local"] for device in devices for entry in device["addr_info"]}:
            found.append(node.name)
    return found
