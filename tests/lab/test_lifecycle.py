"""The actions that Pacemaker calls, one after the other, twice and at the wrong moment."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from lxml import etree

from tests.lab.host import Host
from tests.lab.operation import AGENT
from tests.lab.resource import (
    ALL,
    DEGRADED,
    EVEN,
    FAILED,
    LISTED,
    NOT_INSTALLED,
    NOT_PERMITTED,
    NOT_RUNNING,
    OK,
    SERVICE,
    WITHOUT_NODE3,
    Resource,
    all_alive,
    first_in_path,
    one_on_each,
    script,
)
from tests.lab.world import World

NODEST = "net/ipv4/vs/expire_nodest_conn"
QUIESCENT = "net/ipv4/vs/expire_quiescent_template"


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Resource:
    """Return the documented configuration, not yet started."""
    return Resource(world.director1, tmp_path)


def files(directory: Path) -> dict[str, tuple[str, int]]:
    """Return contents and modification times of all files in a directory."""
    return {
        str(path): (path.read_text(), path.stat().st_mtime_ns)
        for path in directory.rglob("*")
        if path.is_file()
    }


def surroundings(host: Host) -> tuple[object, ...]:
    """Return all state of a host that an agent could change."""
    sysctls = tuple(host.sysctl(name) for name in (NODEST, QUIESCENT, "net/ipv4/ip_forward"))
    return host.ipvs_text(), files(host.rsctmp), sysctls


def wrapped(directory: Path, setup: str) -> Path:
    """Return a script that runs the agent in its own mount namespace, after `setup`."""
    inside = script(directory / "inside", f'set -e; {setup}; exec {AGENT} "$@"')
    return script(directory / "wrapped-agent", f'exec unshare --mount {inside} "$@"')


def without_programs(directory: Path, *programs: str) -> Path:
    """Return the agent on a host where these programs are not installed."""
    paths = [shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") for program in programs]
    return wrapped(directory, "; ".join(f"mount --bind /dev/null {path}" for path in paths))


def without_lxml(directory: Path) -> Path:
    """Return the agent on a host where Python's lxml is not installed."""
    package = Path(etree.__file__).parent
    return wrapped(directory, f"mount -t tmpfs tmpfs {package}")


# A /proc without IPVS. modprobe still takes the module for loaded, which does no harm.
NO_IPVS = (
    "mkdir -p /run/lab/sys; mount --bind /proc/sys /run/lab/sys; mount -t tmpfs tmpfs /proc; "
    "mkdir /proc/sys; mount --move /run/lab/sys /proc/sys; mount -t tmpfs tmpfs /proc/sys/net"
)


def has_counted(host: Host, connections: int) -> bool:
    """Return whether the service's statistics reach `connections`: a rebuilt service has none.

    The kernel updates them every two seconds.
    """
    for _ in range(10):
        shown = host.run(["ipvsadm", "-Ln", "--stats", *SERVICE.split()]).stdout
        if re.search(rf"^TCP +\S+ +{connections} ", shown, re.MULTILINE):
            return True
        time.sleep(0.5)
    return False


# --- probes


def test_a_probe_changes_nothing(lvs: Resource) -> None:
    before = surroundings(lvs.host)
    assert lvs.probe().exit_code == NOT_RUNNING
    assert surroundings(lvs.host) == before
    lvs.start()
    lvs.cluster(*WITHOUT_NODE3)
    lvs.host.restore_ipvs(f"-e {SERVICE} -r 10.77.0.21:5432 -g -w 7\n")
    before = surroundings(lvs.host)
    assert lvs.probe().exit_code == OK
    assert surroundings(lvs.host) == before


def test_a_probe_needs_nothing(lvs: Resource, tmp_path: Path) -> None:
    """A probe needs no program, cluster or privilege, and only the service's own parameters."""
    lvs.agent = without_programs(tmp_path, "ipvsadm", "crm_mon", "modprobe")
    lvs.cib.unlink()
    lvs.parameters.update(weight_of_realservers="node1,x")
    assert lvs.probe().exit_code == NOT_RUNNING
    lvs.host.restore_ipvs(f"-A {SERVICE} -s rr\n")
    assert lvs.probe().exit_code == OK
    lvs.parameters["port"] = 5433
    assert lvs.probe().exit_code == NOT_RUNNING


def test_a_recurring_monitor_of_a_missing_service(lvs: Resource) -> None:
    before = surroundings(lvs.host)
    assert lvs.monitor().exit_code == NOT_RUNNING
    assert surroundings(lvs.host) == before


# --- start and stop


def test_start_adopts_an_existing_service(world: World, lvs: Resource) -> None:
    servers = "".join(f"-a {SERVICE} -r {node.address}:5432 -g -w 5\n" for node in world.nodes)
    lvs.host.restore_ipvs(f"-A {SERVICE} -s lc\n{servers}")
    sessions = one_on_each(world.client)
    lvs.start()
    assert (lvs.header, lvs.pool()) == (f"-A {SERVICE} -s rr", EVEN)
    assert all_alive(sessions)
    assert has_counted(lvs.host, 3)
    lvs.stop()
    assert lvs.host.ipvs_text() == ""


def test_start_twice_and_stop_twice(world: World, lvs: Resource) -> None:
    lvs.start()
    sessions = one_on_each(world.client)
    lvs.start()
    assert lvs.pool() == EVEN
    assert all_alive(sessions)
    lvs.stop()
    assert surroundings(lvs.host)[0] == ""
    lvs.stop()
    assert lvs.probe().exit_code == NOT_RUNNING


def test_start_and_stop_without_ipvsadm(lvs: Resource, tmp_path: Path) -> None:
    lvs.agent = without_programs(tmp_path, "ipvsadm")
    result = lvs.run("start")
    assert (result.exit_code, result.reason) == (
        NOT_INSTALLED,
        "program ipvsadm is not installed",
    )
    lvs.stop()
    lvs.host.restore_ipvs(f"-A {SERVICE} -s rr\n")
    result = lvs.run("stop")
    assert result.exit_code not in (OK, NOT_RUNNING), "the service is there still"
    assert "ipvsadm" in result.reason


def test_a_kernel_without_ipvs(lvs: Resource, tmp_path: Path) -> None:
    lvs.agent = wrapped(tmp_path, NO_IPVS)
    result = lvs.run("start")
    assert result.exit_code == NOT_INSTALLED
    assert "module ip_vs cannot be loaded" in result.reason
    assert "install the kernel's modules package" in result.reason
    assert lvs.probe().exit_code == NOT_RUNNING
    assert lvs.monitor().exit_code == NOT_RUNNING
    lvs.stop()


def test_a_stop_that_did_nothing_is_no_success(lvs: Resource, tmp_path: Path) -> None:
    lvs.start()
    path = first_in_path(tmp_path / "bin", "ipvsadm", "exit 0")
    result = lvs.run("stop", PATH=path)
    assert (result.exit_code, "IPVS table" in result.reason) == (FAILED, True), result
    assert lvs.probe().exit_code == OK
    lvs.stop()
    assert lvs.host.ipvs_text() == ""


def test_only_root_may(lvs: Resource, tmp_path: Path) -> None:
    lvs.host.rsctmp.chmod(0o755)
    start = lvs.operation("start")
    lvs.agent = script(tmp_path / "as-nobody", f'exec setpriv --reuid 65534 {AGENT} "$@"')
    lvs.cib.chmod(0o644)
    assert lvs.run("start").exit_code == NOT_PERMITTED
    assert lvs.host.ipvs_text() == ""
    assert lvs.probe().exit_code == NOT_RUNNING
    lvs.stop()
    assert lvs.host.start_agent(start).wait().returncode == OK
    before = surroundings(lvs.host)
    for action in ("monitor", "reload-agent"):
        result = lvs.run(action, interval=5.0)
        assert (result.exit_code, "only root may" in result.reason) == (DEGRADED, True), result
    assert lvs.run("stop").exit_code == NOT_PERMITTED
    assert lvs.probe().exit_code == OK
    assert surroundings(lvs.host) == before


def test_start_loads_the_scheduler(lvs: Resource) -> None:
    lvs.parameters["virtual_service_options"] = "-s lblcr"
    lvs.start()
    assert lvs.header == f"-A {SERVICE} -s lblcr"
    assert Path("/sys/module/ip_vs_lblcr").exists()


def test_validate_all_looks_at_the_node_from_level_10_on(lvs: Resource, tmp_path: Path) -> None:
    def validated(**parameters: object) -> int:
        lvs.parameters = {**LISTED, **parameters}
        return lvs.run("validate-all", OCF_CHECK_LEVEL="10").exit_code

    before = surroundings(lvs.host)
    assert validated() == OK
    assert validated(heartbeat_file="/nowhere/at/all/heartbeat") == 2
    assert validated(realserver_check_active_real_server_script="/nowhere/check") == NOT_INSTALLED
    assert validated(realserver_dependent_resource="no-such-clone") == 2
    lvs.agent = without_programs(tmp_path, "crm_mon")
    assert validated() == NOT_INSTALLED
    assert lvs.run("validate-all").exit_code == OK
    assert surroundings(lvs.host) == before


LACKS_LXML = "Python's lxml is not installed (package python3-lxml)"


def test_a_node_without_lxml_cannot_be_the_director(lvs: Resource, tmp_path: Path) -> None:
    lvs.agent = without_lxml(tmp_path)
    validated = lvs.run("validate-all", OCF_CHECK_LEVEL="10")
    assert (validated.exit_code, validated.reason) == (NOT_INSTALLED, LACKS_LXML)
    started = lvs.run("start")
    assert (started.exit_code, started.reason) == (NOT_INSTALLED, LACKS_LXML)
    assert lvs.run("stop").exit_code == OK


def test_a_service_goes_on_without_lxml(lvs: Resource, tmp_path: Path) -> None:
    agent = lvs.agent
    lvs.start()
    before = lvs.host.ipvs_text()
    lvs.agent = without_lxml(tmp_path)
    assert lvs.run("reload-agent").exit_code == OK
    result = lvs.run("monitor", interval=5.0)
    assert (result.exit_code, LACKS_LXML in result.reason) == (DEGRADED, True), result
    assert lvs.probe().exit_code == OK
    assert lvs.host.ipvs_text() == before
    lvs.agent = agent
    assert lvs.monitor().exit_code == OK
    lvs.agent = without_lxml(tmp_path)
    assert lvs.run("stop").exit_code == OK


# --- the kernel's settings


def test_settings_are_put_back_by_the_last_to_stop(world: World, tmp_path: Path) -> None:
    first = Resource(world.director1, tmp_path)
    second = Resource(world.director1, tmp_path, {**LISTED, "port": 5433}, instance="other")
    second.parameters["virtual_service_options"] = "-s rr -p 60"
    first.start()
    assert (first.host.sysctl(NODEST), first.host.sysctl(QUIESCENT)) == ("1", "0")
    second.start()
    assert (first.host.sysctl(NODEST), first.host.sysctl(QUIESCENT)) == ("1", "1")
    first.stop()
    assert (first.host.sysctl(NODEST), first.host.sysctl(QUIESCENT)) == ("1", "1")
    second.stop()
    assert (first.host.sysctl(NODEST), first.host.sysctl(QUIESCENT)) == ("0", "0")


def test_a_setting_that_was_there_before_stays(lvs: Resource) -> None:
    lvs.host.sysctl(NODEST, 1)
    lvs.start()
    lvs.stop()
    assert lvs.host.sysctl(NODEST) == "1"


def test_monitor_sees_to_the_settings(lvs: Resource) -> None:
    lvs.start()
    lvs.host.sysctl(NODEST, 0)
    assert lvs.monitor().exit_code == OK
    assert lvs.host.sysctl(NODEST) == "1"


def test_an_administrators_later_setting_is_left_alone(lvs: Resource) -> None:
    lvs.start()
    lvs.host.sysctl(NODEST, 2)
    result = lvs.run("stop")
    assert result.exit_code == OK
    assert lvs.host.sysctl(NODEST) == "2"
    assert f"{NODEST} left at 2" in result.stderr


# --- reload-agent


def test_options_change_in_place(world: World, lvs: Resource) -> None:
    lvs.start()
    sessions = one_on_each(world.client)
    for options in (
        "-s sh -b sh-fallback,sh-port",
        "-s mh -b mh-fallback,mh-port",
        "-s rr -p 60 -M 255.255.255.0",
        "-s wlc",
        "-s rr",
    ):
        lvs.reload(virtual_service_options=options)
        assert lvs.header == f"-A {SERVICE} {options}"
        assert lvs.pool() == EVEN
        assert all_alive(sessions)
    assert world.client.spread(3) == EVEN
    assert has_counted(lvs.host, 6)


def test_options_that_proc_does_not_show_are_repaired_if_configured(lvs: Resource) -> None:
    lvs.parameters["virtual_service_options"] = "-s sh -b sh-port -p 60"
    lvs.start()
    wanted = lvs.header
    assert wanted == f"-A {SERVICE} -s sh -p 60 -b sh-fallback,sh-port"
    for drift in ("-s sh -p 60", "-s sh -b sh-port -p 60", "-s sh -b sh-fallback,sh-port -p 61"):
        lvs.host.restore_ipvs(f"-E {SERVICE} {drift}\n")
        assert lvs.header != wanted
        assert lvs.monitor().exit_code == OK
        assert lvs.header == wanted


def test_reload_of_a_missing_service(lvs: Resource) -> None:
    assert lvs.run("reload-agent").exit_code == FAILED
    assert lvs.host.ipvs_text() == ""


# --- the heartbeat


def test_heartbeat_after_each_monitor_that_succeeded(lvs: Resource, tmp_path: Path) -> None:
    heartbeat = tmp_path / "beats" / "heartbeat"
    heartbeat.parent.mkdir()
    lvs.parameters["heartbeat_file"] = heartbeat
    assert lvs.monitor().exit_code == NOT_RUNNING
    lvs.start()
    assert lvs.probe().exit_code == OK
    assert not heartbeat.exists()
    assert lvs.monitor().exit_code == OK
    first = heartbeat.stat()
    assert abs(int(heartbeat.read_text()) - time.time()) < 60
    assert lvs.monitor().exit_code == OK
    assert heartbeat.stat().st_ino == first.st_ino, "written in place"
    assert list(heartbeat.parent.iterdir()) == [heartbeat]


def test_heartbeat_does_not_follow_a_link(lvs: Resource, tmp_path: Path) -> None:
    precious, heartbeat = tmp_path / "precious", tmp_path / "heartbeat"
    precious.write_text("secret")
    heartbeat.symlink_to(precious)
    lvs.parameters["heartbeat_file"] = heartbeat
    lvs.start()
    result = lvs.monitor()
    assert result.exit_code == DEGRADED, result
    assert result.reason.startswith(f"heartbeat_file={heartbeat}: it is not a regular file")
    assert (precious.read_text(), heartbeat.is_symlink()) == ("secret", True)


def test_a_device_stays_a_device(lvs: Resource) -> None:
    lvs.parameters["heartbeat_file"] = "/dev/null"
    lvs.start()
    assert lvs.monitor().exit_code == DEGRADED
    assert Path("/dev/null").is_char_device()


def test_a_heartbeat_that_cannot_be_written(lvs: Resource) -> None:
    lvs.parameters["heartbeat_file"] = "/nowhere/at/all/heartbeat"
    lvs.start()
    lvs.cluster(*ALL[:2], ALL[2].dead())
    result = lvs.monitor()
    assert (result.exit_code, "heartbeat" in result.reason) == (DEGRADED, True), result
    assert lvs.pool() == {"node1": 1, "node2": 1}, "the service goes before its watchdog"
