"""Services of other resources, and nodes in maintenance: lvsdr reports them and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.failing_disks import read_only
from tests.lab.operation import AgentResult
from tests.lab.resource import (
    ALL,
    DEGRADED,
    EVEN,
    FAILED,
    LISTED,
    NOT_RUNNING,
    OK,
    Resource,
    first_in_path,
)
from tests.lab.world import World

BAD_ARGUMENT = 2


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Resource:
    """Return a started resource with a name from the sketch of the cluster."""
    resource = Resource(world.director1, tmp_path, LISTED, "pgsql")
    resource.start()
    return resource


def on_node3(resource: Resource) -> AgentResult:
    """Run the recurring monitor as if the director were node3."""
    return resource.monitor(OCF_RESKEY_CRM_meta_on_node="node3")


def test_two_resources_with_one_service(lvs: Resource, tmp_path: Path) -> None:
    other = Resource(lvs.host, tmp_path, {**LISTED, "weight_of_realservers": "node1"}, "other")
    before = lvs.host.ipvs_text()
    result = other.run("start")
    assert result.exit_code == BAD_ARGUMENT
    assert result.reason.startswith(
        "resource pgsql has the tcp service 10.77.0.100:5432 on this node"
    )
    assert other.probe().exit_code == NOT_RUNNING
    assert other.monitor().exit_code == NOT_RUNNING
    assert other.run("stop").exit_code == OK
    assert lvs.host.ipvs_text() == before
    assert lvs.monitor().exit_code == OK
    lvs.stop()
    assert lvs.host.ipvs_text() == ""
    other.start()
    assert other.pool() == {"node1": 1}
    other.stop()


def test_a_resource_deleted_while_it_ran_blocks_no_other(lvs: Resource, tmp_path: Path) -> None:
    """A deleted resource does not block its service, although service and state file remain."""
    other = Resource(lvs.host, tmp_path, {**LISTED, "weight_of_realservers": "node1"}, "other")
    directory = lvs.host.rsctmp
    (directory / "lvsdr-pgsql.state").rename(directory / "lvsdr-deleted.state")
    result = other.run("start")
    assert result.exit_code == OK, result
    assert "taken over from resource deleted" in result.stderr
    assert sorted(path.name for path in lvs.host.rsctmp.glob("*.state")) == ["lvsdr-other.state"]
    assert other.monitor().exit_code == OK
    other.stop()
    assert lvs.host.ipvs_text() == ""


def test_hands_off_in_maintenance(lvs: Resource) -> None:
    lvs.cluster(*ALL[:2], ALL[2]._replace(maintenance=True))
    assert on_node3(lvs).exit_code == OK, "nothing differs"
    lvs.host.restore_ipvs(f"-e {lvs.service} -r 10.77.0.22:5432 -g -w 7\n-E {lvs.service} -s wrr\n")
    lvs.host.sysctl("net/ipv4/vs/expire_nodest_conn", 0)
    before = lvs.host.ipvs_text()
    result = on_node3(lvs)
    assert result.exit_code == DEGRADED
    because = "because node node3 is in maintenance"
    assert f"options of the service left alone, {because}" in result.stderr
    assert f"node2 left with weight 7 instead of weight 1, {because}" in result.stderr
    assert lvs.host.ipvs_text() == before
    assert lvs.host.sysctl("net/ipv4/vs/expire_nodest_conn") == "0"
    lvs.cluster(*ALL)
    assert on_node3(lvs).exit_code == OK
    assert lvs.pool() == EVEN


def test_hands_off_while_it_is_not_known_whether_the_resource_is_managed(
    lvs: Resource, tmp_path: Path
) -> None:
    lvs.host.restore_ipvs(f"-E {lvs.service} -s wrr\n")
    before = lvs.host.ipvs_text()
    path = first_in_path(tmp_path / "bin", "crm_mon", "exit 1")
    result = lvs.monitor(PATH=path)
    assert result.exit_code == DEGRADED
    assert result.reason.startswith("pool kept as it is: crm_mon: exit status 1")
    assert "options of the service left alone, because it is not known" in result.stderr
    assert lvs.host.ipvs_text() == before
    assert lvs.monitor().exit_code == OK
    assert lvs.header == f"-A {lvs.service} -s rr"


def test_a_file_of_another_resource_that_cannot_be_removed(lvs: Resource, tmp_path: Path) -> None:
    """Its stop would take the service for the other's, and leave it in the table."""
    other = Resource(lvs.host, tmp_path, LISTED, "other")
    (lvs.host.rsctmp / "lvsdr-other.lock").touch()  # it has run before
    with read_only(lvs.host.rsctmp):
        lvs.stop()
        result = other.run("start")
        assert result.exit_code == FAILED
        assert "by which resource pgsql owns the service: Read-only file system" in result.reason
        assert lvs.host.ipvs_text() == ""
