"""Failures of the agent's own means: real servers go on serving, and stop leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.director import all_alive
from tests.lab.failing_disks import full, read_only
from tests.lab.realsvr_agent import RealServer, on_lo, unprepared
from tests.lab.resource import (
    DEGRADED,
    EVEN,
    FAILED,
    NOT_RUNNING,
    OK,
    WITHOUT_NODE3,
    Resource,
    first_in_path,
    one_on_each,
)
from tests.lab.vip_agent import Address, has_address
from tests.lab.world import World

NODEST = "net/ipv4/vs/expire_nodest_conn"


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Resource:
    """Return a resource with persistence, which only ipvsadm shows."""
    resource = Resource(world.director1, tmp_path)
    resource.parameters["virtual_service_options"] = "-s rr -p 60"
    return resource


IPVSADM = {
    "fails": ("echo no luck >&2; exit 1", "ipvsadm -Sn: exit status 1: no luck"),
    "is no text": (r"printf '\342('", "ipvsadm -Sn: cannot read the line"),
    "says nonsense": ("echo nonsense", "ipvsadm -Sn: cannot read the line 'nonsense'"),
    "hangs": ("exec sleep 600", "timed out"),
}


@pytest.mark.parametrize(("body", "cause"), IPVSADM.values(), ids=IPVSADM)
def test_a_failing_ipvsadm_leaves_the_pool(
    lvs: Resource, tmp_path: Path, body: str, cause: str
) -> None:
    lvs.start()
    before = lvs.host.ipvs_text()
    lvs.cluster(*WITHOUT_NODE3)
    path = first_in_path(tmp_path / "bin", "ipvsadm", body)
    result = lvs.monitor(6.0, PATH=path)
    assert (result.exit_code, cause in result.reason) == (DEGRADED, True), result
    assert lvs.host.ipvs_text() == before
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == {**EVEN, "node3": 0}


def test_a_failing_ipvsadm_without_serving_real_servers_is_a_failure(
    lvs: Resource, tmp_path: Path
) -> None:
    lvs.start()
    for number in (21, 22, 23):
        lvs.host.restore_ipvs(f"-e {lvs.service} -r 10.77.0.{number}:5432 -g -w 0\n")
    broken = first_in_path(tmp_path / "bin", "ipvsadm", "exit 1")
    assert lvs.monitor(PATH=broken).exit_code == FAILED
    lvs.host.restore_ipvs(f"-D {lvs.service}\n")
    assert lvs.monitor(PATH=broken).exit_code == NOT_RUNNING


def test_a_full_disk(world: World, lvs: Resource) -> None:
    lvs.parameters["virtual_service_options"] = "-s rr"
    lvs.start()
    sessions = one_on_each(world.client)
    lvs.host.sysctl(NODEST, 0)
    with full(lvs.host.rsctmp):
        result = lvs.monitor()
        assert result.exit_code == OK, result
        assert lvs.host.sysctl(NODEST) == "1"
        lvs.parameters["virtual_service_options"] = "-s rr -p 60"
        result = lvs.run("reload-agent")
        assert result.exit_code == DEGRADED
        assert result.reason.endswith("lvsdr-sysctl.json: No space left on device"), result
        assert lvs.header == f"-A {lvs.service} -s rr -p 60"
        assert lvs.host.sysctl("net/ipv4/vs/expire_quiescent_template") == "1"
        lvs.cluster(*WITHOUT_NODE3)
        result = lvs.monitor()
        assert (result.exit_code, "No space left on device" in result.reason) == (DEGRADED, True)
        assert lvs.pool() == {**EVEN, "node3": 0}
    assert all_alive(sessions)
    lvs.stop()


def test_a_directory_that_is_read_only(lvs: Resource) -> None:
    lvs.start()
    with read_only(lvs.host.rsctmp):
        lvs.cluster(*WITHOUT_NODE3)
        result = lvs.monitor()
        assert (result.exit_code, "Read-only file system" in result.reason) == (DEGRADED, True)
        assert lvs.pool() == {**EVEN, "node3": 0}
        result = lvs.run("stop")
        assert result.exit_code == OK, result
        assert "Read-only file system" in result.stderr
        assert lvs.host.ipvs_text() == ""
        assert lvs.probe().exit_code == NOT_RUNNING
        assert lvs.run("stop").exit_code == OK
    assert lvs.host.sysctl(NODEST) == "0"


def test_settings_that_cannot_be_written(world: World, lvs: Resource) -> None:
    """Settings that are only desirable cause a warning, as in a container."""
    with read_only(Path("/proc/sys")):
        result = lvs.run("start")
        assert result.exit_code == OK, result
        assert f"cannot set {NODEST} to 1: Read-only file system" in result.stderr
        result = lvs.monitor()
        assert (result.exit_code, result.reason) == (OK, "")
        assert lvs.pool() == EVEN
        lvs.stop()
        lvs.parameters["forwarding_method"] = "masq"
        result = lvs.run("start")
        assert result.exit_code == FAILED
        assert result.reason.startswith("cannot set net/ipv4/ip_forward to 1: ")
    with unprepared([world.node1], [world.node1]):
        resource = RealServer(world.node1)
        with read_only(Path("/proc/sys")):
            result = resource.run("start")
            assert result.exit_code == FAILED
            assert "net/ipv4/conf/all/arp_ignore is 0, not 1" in result.reason
            assert on_lo(world.node1) == []
        resource.start()
        with read_only(Path("/proc/sys")):
            for action in ("start", "monitor", "stop"):
                result = resource.run(action)
                assert result.exit_code == OK, result
            assert "cannot set net/ipv4/conf/all/arp_ignore to 0" in result.stderr
        assert on_lo(world.node1) == []


def test_addresses_without_a_place_for_files(world: World) -> None:
    with unprepared([world.node1], [world.node1]):
        for resource in (RealServer(world.node1), Address(world.node1)):
            resource.start()
            with read_only(world.node1.rsctmp):
                result = resource.monitor()
                assert (result.exit_code, result.reason) == (OK, "")
                result = resource.run("stop")
                assert (result.exit_code, "Read-only" in result.stderr) == (OK, True), result
                assert resource.probe().exit_code == NOT_RUNNING
                assert resource.run("stop").exit_code == OK
            (world.node1.rsctmp / f"lvsdr-{resource.instance}.state").unlink()


def test_a_failing_ip_does_not_hide_the_address(world: World, tmp_path: Path) -> None:
    """The agent finds the address without ip(8)."""
    address = Address(world.director1)
    address.start()
    for body in ("echo no luck >&2; exit 1", "echo nonsense", "kill -9 $$"):
        env = {"PATH": first_in_path(tmp_path / "bin", "ip", body)}
        result = address.run("monitor", 10.0, env)
        assert (result.exit_code, result.reason != "") == (DEGRADED, True), result
        assert has_address(world.director1, address.ip)
    address.stop()
    assert address.run("monitor", 10.0, env).exit_code in (FAILED, NOT_RUNNING)
    assert address.monitor().exit_code == NOT_RUNNING


def test_settings_of_an_interface_that_cannot_be_written(world: World) -> None:
    address = Address(world.director1)
    world.director1.sysctl("net/ipv4/conf/eth0/promote_secondaries", 0)
    with read_only(Path("/proc/sys")):
        result = address.run("start")
        assert result.exit_code == OK, result
        assert "cannot set net/ipv4/conf/eth0/promote_secondaries to 1" in result.stderr
        assert address.monitor().exit_code == OK
        address.stop()
    assert not has_address(world.director1, address.ip)
