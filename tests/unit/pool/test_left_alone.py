"""Nodes that left in good order while Pacemaker manages nothing on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.model import PoolSpec
from lvsdr.pool.sources import query_sources
from lvsdr.values.deadline import Deadline

from tests.unit.crm import edited, state
from tests.unit.pools import SPEC, shell

CLONE = SPEC._replace(resources=("db-clone",))
PRIMITIVE = SPEC._replace(resources=("db",))
LISTED = SPEC._replace(weights={"node1": 1, "node2": 1})
SCRIPT = SPEC._replace(list_script=shell("echo node1 node2"), resources=("db-clone",))
BROKEN = SCRIPT._replace(list_script=shell("exit 1"))

UNMANAGED = "unknown: node is offline, but {} is unmanaged or in maintenance"
OFFLINE = "failed: node is offline"
CRASHED = ('crmd="offline" join="down" expected="down"', 'crmd="offline" expected="member"')


def on_node2(cluster: ClusterState, spec: PoolSpec) -> str:
    """Return the verdict on node2."""
    found = query_sources(cluster, spec, Deadline.after(20.0)).candidates
    (verdict,) = (it.verdict for it in found if it.host == "node2")
    return f"{verdict.outcome.value}: {verdict.reason}"


@pytest.mark.parametrize(
    ("cib", "spec", "expected"),
    [
        ("clone-in-maintenance-node-left", CLONE, UNMANAGED.format("db-clone")),
        ("clone-in-maintenance-node-left", PRIMITIVE, UNMANAGED.format("db")),
        ("clone-in-maintenance-node-left-fencing", CLONE, UNMANAGED.format("db-clone")),
        # A list names no resource, so the maintenance of any resource means nothing.
        ("clone-in-maintenance-node-left", LISTED, OFFLINE),
        ("clone-in-maintenance-node-left", SCRIPT, OFFLINE),
        ("clone-in-maintenance-node-left", BROKEN, OFFLINE),
        (
            "clone-left-out-by-crm_mon",
            CLONE,
            "unknown: node is offline, but the cluster has no resource db-clone",
        ),
    ],
)
def test_a_resource_in_maintenance(cib: str, spec: PoolSpec, expected: str) -> None:
    assert on_node2(state(cib), spec) == expected


@pytest.mark.parametrize("spec", [CLONE, LISTED, SCRIPT, BROKEN])
def test_maintenance_mode_is_about_every_resource(spec: PoolSpec) -> None:
    cluster = state("maintenance-mode-node-left")
    assert on_node2(cluster, spec) == "unknown: node is offline, but the cluster is in maintenance"


def test_is_managed_false_is_maintenance(tmp_path: Path) -> None:
    change = ('name="maintenance" value="true"', 'name="is-managed" value="false"')
    cluster = edited("clone-in-maintenance-node-left", tmp_path, change)
    assert on_node2(cluster, CLONE) == UNMANAGED.format("db-clone")


def test_a_managed_resource_was_stopped(tmp_path: Path) -> None:
    change = ('name="maintenance" value="true"', 'name="maintenance" value="false"')
    cluster = edited("clone-in-maintenance-node-left", tmp_path, change)
    assert on_node2(cluster, CLONE) == OFFLINE


@pytest.mark.parametrize(
    "cib",
    [
        "clone-in-maintenance-node-left",
        "clone-in-maintenance-node-left-fencing",
        "maintenance-mode-node-left",
        "clone-left-out-by-crm_mon",
    ],
)
def test_a_node_that_crashed_has_failed_in_maintenance_too(cib: str, tmp_path: Path) -> None:
    assert on_node2(edited(cib, tmp_path, CRASHED), CLONE).startswith("failed: ")


def test_maintenance_of_one_node_is_not_that_of_the_resource(tmp_path: Path) -> None:
    """node1 is in maintenance, the resource is not: node2 stopped it before it left."""
    changes = (
        ('name="maintenance" value="true"', 'name="x" value="true"'),
        (
            '<node id="1" uname="node1"/>',
            '<node id="1" uname="node1"><instance_attributes id="n1"><nvpair id="n1-m" '
            'name="maintenance" value="true"/></instance_attributes></node>',
        ),
    )
    cluster = edited("clone-in-maintenance-node-left", tmp_path, *changes)
    assert on_node2(cluster, CLONE) == OFFLINE
    assert on_node2(cluster, PRIMITIVE) == OFFLINE


@pytest.mark.parametrize("resource", ["db-clone", "g", "db"])
def test_members_of_a_group_in_maintenance(resource: str, tmp_path: Path) -> None:
    meta = '<meta_attributes id="m"><nvpair id="m1" name="maintenance" value="true"/>'
    changes = (
        (f'<clone id="db-clone">{meta}</meta_attributes>', '<clone id="db-clone"><group id="g">'),
        (
            '<primitive id="db" class="ocf" provider="pacemaker" type="Dummy"/>',
            '<primitive id="db" class="ocf" provider="pacemaker" type="Dummy">'
            f"{meta}</meta_attributes></primitive></group>",
        ),
    )
    cluster = edited("clone-in-maintenance-node-left", tmp_path, *changes)
    assert on_node2(cluster, SPEC._replace(resources=(resource,))) == UNMANAGED.format(resource)


def test_a_lost_ticket_that_freezes_leaves_things_as_they_are() -> None:
    assert on_node2(state("ticket-lost-freeze"), CLONE) == "unknown: db-clone is blocked"


def test_a_lost_ticket_that_fences_is_a_failure() -> None:
    assert on_node2(state("ticket-lost-fence"), CLONE) == "failed: node is unclean"


def test_pacemaker_stopped_in_maintenance_while_corosync_goes_on(tmp_path: Path) -> None:
    change = ('in_ccm="false" crmd="offline"', 'in_ccm="true" crmd="offline"')
    cluster = edited("clone-in-maintenance-node-left-fencing", tmp_path, change)
    assert cluster.nodes["node2"].pending
    assert on_node2(cluster, CLONE) == "unknown: node is joining the cluster"
