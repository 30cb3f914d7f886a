"""The agent vip with a gate under Pacemaker: a handover is a demotion and a promotion, no failure.

The gate is a node attribute, so that only the cluster is needed. A single failure would ban a node:
migration-threshold is 1.
"""

from __future__ import annotations

import pytest

from tests.cluster.addresses import READ_VIP
from tests.cluster.cluster import Cluster
from tests.cluster.leader_vip import NAME, PATIENCE, nodes_with_address, wait_for_leader
from tests.cluster.node import Node
from tests.cluster.operation_history import History

MINUTES = 2  # see tests/support/shared_tests.py
LEADS = "leads"

CONFIGURATION = f"""
cib=$(mktemp)
pcs cluster cib $cib
cp $cib $cib.before
pcs -f $cib resource create {NAME} vip ip={READ_VIP} cidr_netmask=24 \\
    dcs_type=attribute trigger_key={LEADS} trigger_value=yes dcs_grace=30s \\
    op start timeout=60s op stop timeout=60s op promote timeout=90s op demote timeout=60s \\
    op monitor interval=5s timeout=60s role=Promoted \\
    op monitor interval=6s timeout=60s role=Unpromoted \\
    meta migration-threshold=1
pcs -f $cib resource promotable {NAME}
pcs cluster cib-push $cib diff-against=$cib.before
"""


@pytest.fixture(scope="module")
def gated(cluster: Cluster) -> Cluster:
    """Return the cluster with the clone, led by node1."""
    cluster.renew()
    cluster.node1.run(["/bin/sh", "-euc", CONFIGURATION], timeout=PATIENCE)
    let_lead(cluster, cluster.node1)
    return cluster


def let_lead(cluster: Cluster, *leaders: Node) -> None:
    """Set the attribute on these nodes, and wait until exactly these are promoted."""
    for node in cluster.nodes:
        wish = "--update=yes" if node in leaders else "--delete"
        where = ["--node", node.name, "--name", LEADS, "--lifetime=reboot"]
        cluster.node1.run(["crm_attribute", *where, wish])
    wait_for_leader(cluster, *(node.name for node in leaders))


def failures(cluster: Cluster) -> str:
    """Return the fail counts of crm_mon; its list of failures contains mere deviations, too."""
    said = cluster.node1.run(["crm_mon", "--one-shot", "--inactive", "--failcounts"]).stdout
    return "\n".join(line for line in said.splitlines() if "fail-count" in line)


def test_a_handover_is_no_failure(gated: Cluster) -> None:
    assert nodes_with_address(gated) == ["node1"]
    history = History(gated.nodes)
    let_lead(gated, gated.node2)
    assert nodes_with_address(gated) == ["node2"]
    changes = [(it.node, it.action) for it in history.done() if it.action in ("demote", "promote")]
    assert sorted(changes) == [("node1", "demote"), ("node2", "promote")]
    assert not {"start", "stop"} & {action for action, _ in history.changes()}
    # Demoted by its own monitor, or after node2's monitor saw the change first.
    said = history.text(gated.node1)
    assert "follower: leads is yes on node2" in said
    assert f"{READ_VIP} removed from eth0" in said
    let_lead(gated, gated.node1)
    assert nodes_with_address(gated) == ["node1"]
    assert failures(gated) == ""


def test_the_address_returns_with_a_new_leader(gated: Cluster) -> None:
    let_lead(gated)
    assert nodes_with_address(gated) == []
    let_lead(gated, gated.node3)
    assert nodes_with_address(gated) == ["node3"]
    assert failures(gated) == ""
