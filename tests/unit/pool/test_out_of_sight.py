"""Remote nodes, guest nodes and bundles that Pacemaker has only lost sight of, and dead ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.model import Candidate, Outcome, PoolSpec, Verdict
from lvsdr.pool.sources import query_sources
from lvsdr.pool.sources.nodes import apply_node_state, judge_node
from lvsdr.values.deadline import Deadline

from tests.unit.crm import edited, state
from tests.unit.pools import SPEC

Change = tuple[str, str]

LISTED = SPEC._replace(weights={"r1": 1, "guest1": 1})
CLONE = SPEC._replace(resources=("db-clone",))

_START = '<lrm_rsc_op id="{0}_last_0" operation_key="{0}_start_0" operation="start"'
_STOP = '<lrm_rsc_op id="{0}_last_0" operation_key="{0}_stop_0" operation="stop"'


def stopped(resource: str) -> Change:
    """Return the change after which a resource of the CIBs has been stopped."""
    return _START.format(resource), _STOP.format(resource)


def failing(resource: str, call: int) -> Change:
    """Return the change after which the last monitor of a resource has failed."""
    key = "0e4a2b1c-5d2f-4a6e-9b11-2f0c7d3e8a11"
    failure = (
        f'<lrm_rsc_op id="{resource}_last_failure_0" operation_key="{resource}_monitor_9000" '
        f'operation="monitor" crm_feature_set="3.16.1" transition-key="1:1:0:{key}" '
        f'transition-magic="0:1;1:1:0:{key}" call-id="{call}" rc-code="1" op-status="0" '
        'interval="9000"/>'
    )
    return _START.format(resource), failure + _START.format(resource)


GUEST_GONE = (stopped("guest1"), ('call-id="6"', 'call-id="3"'))  # its monitor is older


def judged(cluster: ClusterState, host: str, spec: PoolSpec) -> str:
    """Return the verdict on a host: outcome, seconds of grace, reason."""
    found = query_sources(cluster, spec, Deadline.after(20.0)).candidates
    (verdict,) = (it.verdict for it in found if it.host == host)
    return f"{verdict.outcome.value} {verdict.grace:g}: {verdict.reason}"


@pytest.mark.parametrize("spec", [CLONE, LISTED], ids=["resource", "list"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("remote-node-probed-again", "failed 20: connection to the node is lost"),
        ("remote-node-connecting-after-old-failure", "failed 20: connection to the node is lost"),
        ("remote-node-connection-failed", "failed 20: connection to the node is lost"),
        ("remote-node-to-be-fenced", "failed 0: node is unclean"),
    ],
)
def test_a_remote_node_that_is_offline(name: str, expected: str, spec: PoolSpec) -> None:
    assert judged(state(name), "r1", spec) == expected


def test_a_remote_node_that_is_online() -> None:
    assert judged(state("remote-node"), "r1", CLONE) == "in 0: db-clone is Started"


def test_a_remote_node_in_maintenance_stays_as_it_is_without_its_connection() -> None:
    """Pacemaker 2.1.5 shows no maintenance of a remote node that is offline."""
    node = state("remote-node-probed-again").nodes["r1"]._replace(maintenance=True)
    verdict = judge_node(node)
    assert verdict is not None
    assert verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], "in 0: listed in weight_of_realservers"),
        ([*GUEST_GONE], "failed 20: connection to the node is lost"),
        ([*GUEST_GONE, stopped("virtual")], "failed 20: connection to the node is lost"),
        (
            [failing("guest1", 9)],
            "failed 0: connection or container of the node has failed",
        ),
        (
            [failing("virtual", 9)],
            "failed 0: connection or container of the node has failed",
        ),
    ],
    ids=["online", "connection", "both", "connection failed", "container failed"],
)
def test_a_guest_node(changes: list[Change], expected: str, tmp_path: Path) -> None:
    assert judged(edited("nodes", tmp_path, *changes), "guest1", LISTED).startswith(expected)


def test_a_guest_node_on_a_host_that_is_unclean_has_failed(tmp_path: Path) -> None:
    crashed = (
        'uname="well" in_ccm="true" crmd="online" join="member"',
        'uname="well" in_ccm="false" crmd="offline" join="down"',
    )
    cluster = edited("nodes", tmp_path, crashed)
    assert cluster.nodes["well"].unclean
    assert judged(cluster, "guest1", LISTED).startswith("failed 0: ")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], "in 0: bundle is Promoted"),
        ([stopped("bundle-0")], "failed 20: bundle is not running there"),
        ([failing("bundle-podman-0", 99)], "failed 0: bundle has failed"),
        ([failing("bundle-0", 99)], "failed 0: bundle has failed"),
    ],
    ids=["well", "connection", "container failed", "connection failed"],
)
def test_a_replica_of_a_bundle(changes: list[Change], expected: str, tmp_path: Path) -> None:
    cluster = edited("resources", tmp_path, *changes)
    assert judged(cluster, "node1", SPEC._replace(resources=("bundle",))) == expected


def test_a_bundle_in_maintenance_stays_as_it_is_without_its_connection(tmp_path: Path) -> None:
    maintenance = (
        '<bundle id="bundle">',
        '<bundle id="bundle"><meta_attributes id="bm"><nvpair id="bm1" name="maintenance" '
        'value="true"/></meta_attributes>',
    )
    cluster = edited("resources", tmp_path, stopped("bundle-0"), maintenance)
    assert judged(cluster, "node1", SPEC._replace(resources=("bundle",))).startswith("unknown 0: ")


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.FAILED])
def test_a_settled_state_outweighs_a_lost_connection(outcome: Outcome) -> None:
    settled = Candidate("r1", Verdict(outcome, "so"))
    assert apply_node_state(settled, state("remote-node-probed-again")) == settled
