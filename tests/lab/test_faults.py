"""Broken sources, scripts and parameters do not make the agent change a working pool."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.forked_agent import ForkedResource
from tests.lab.host import VIP, Host
from tests.lab.network import HOSTS_FILE
from tests.lab.resource import (
    ALL,
    DEGRADED,
    EVEN,
    FAILED,
    LISTED,
    MISCONFIGURED,
    NOT_INSTALLED,
    OK,
    STANDBYS,
    WITHOUT_NODE3,
    Resource,
    first_in_path,
    script,
)
from tests.lab.world import World


@pytest.fixture
def standbys(world: World, tmp_path: Path) -> Resource:
    """Return the documented configuration, started."""
    resource = Resource(world.director1, tmp_path)
    resource.start()
    return resource


def started(host: Host, directory: Path, **parameters: object) -> Resource:
    resource = Resource(host, directory, {"vip": VIP, "port": 5432, **parameters})
    resource.start()
    assert resource.pool() == EVEN
    return resource


def nothing_changes(resource: Resource, cause: str, timeout: float = 30.0, **env: str) -> None:
    """Run a monitor. Assert that it keeps the table, and is degraded with this cause."""
    before = resource.host.ipvs_text()
    result = resource.monitor(timeout, **env)
    assert resource.host.ipvs_text() == before
    assert (result.exit_code, cause in result.reason) == (DEGRADED, True), result


def works_again(resource: Resource) -> None:
    """Assert that the next monitor applies the change of node3 that the fault had hidden."""
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {**EVEN, "node3": 0}


def processes(argument: str) -> list[str]:
    """Return the processes with this word on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if argument in words:
            found.append(" ".join(words))
    return found


# --- crm_mon


CRM_MON_FAULTS = {
    "says nothing": ("exit 0", "crm_mon"),
    "fails": ("echo no such luck >&2; exit 102", "crm_mon: exit status 102: no such luck"),
    "says something else": ("echo 'Cluster is fine'", "crm_mon: not a complete XML document"),
    "is cut short": ('/usr/sbin/crm_mon "$@" | head -c 900', "crm_mon: not a complete XML"),
    "never ends": ("exec cat /dev/zero", "crm_mon: printed more than"),
}


@pytest.mark.parametrize(("body", "cause"), CRM_MON_FAULTS.values(), ids=CRM_MON_FAULTS)
def test_crm_mon_is_broken(standbys: Resource, tmp_path: Path, body: str, cause: str) -> None:
    standbys.cluster(*WITHOUT_NODE3)
    nothing_changes(standbys, cause, PATH=first_in_path(tmp_path / "bin", "crm_mon", body))
    works_again(standbys)


def test_crm_mon_hangs(standbys: Resource, tmp_path: Path) -> None:
    path = first_in_path(tmp_path / "bin", "crm_mon", "sleep 7654321 & sleep 7654321")
    standbys.cluster(*WITHOUT_NODE3)
    nothing_changes(standbys, "crm_mon: timed out", timeout=4.0, PATH=path)
    assert processes("7654321") == []
    works_again(standbys)


@pytest.mark.parametrize("content", [None, "no XML at all"])
def test_the_cluster_does_not_answer(standbys: Resource, content: str | None) -> None:
    standbys.cib.unlink()
    if content is not None:
        standbys.cib.write_text(content)
    nothing_changes(standbys, "crm_mon: ")
    standbys.cluster(*WITHOUT_NODE3)
    works_again(standbys)


def test_the_file_of_a_cluster_is_torn(standbys: Resource) -> None:
    standbys.cluster(*WITHOUT_NODE3)
    text = standbys.cib.read_text()
    for share in (0.3, 0.6, 0.9):
        standbys.cib.write_text(text[: int(len(text) * share)])
        nothing_changes(standbys, "CIB")
    standbys.cluster(*WITHOUT_NODE3)
    works_again(standbys)


# --- scripts


LIST_FAULTS = {
    "fails with words": ("echo out of cheese >&2; exit 3", "list: exit status 3: out of cheese"),
    "is killed": ("echo node1; kill -9 $$", "list: exit status 137"),
    "prints an option": ("echo node1 node2 -C", "'-C', which is not a host"),
    "prints binary": (r"printf 'node1 \000\001\377\n'", "which is not a host"),
    "prints megabytes": ("yes node1 | head -c 3000000", "list: printed more than"),
    "prints too many names": ("seq -f node%g 10001", "list printed 10001 names"),
    "prints nothing": ("exit 0", "no real server is fit"),
    "is missing": ("exec /nowhere/at/all", "list: exit status 127"),
}


@pytest.fixture
def listing(world: World, tmp_path: Path) -> Resource:
    """Return a started service with real servers that a script lists."""
    path = script(tmp_path / "list", "echo node1 node2 node3")
    arguments = {"realserver_get_real_servers_script": f"'{path}' a 'b c'", "script_timeout": "2s"}
    return started(world.director1, tmp_path, **arguments)


def list_recovers(resource: Resource, tmp_path: Path) -> None:
    script(tmp_path / "list", "echo node1; echo node2")
    works_again(resource)


@pytest.mark.parametrize(("body", "cause"), LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_list_script_is_broken(listing: Resource, tmp_path: Path, body: str, cause: str) -> None:
    script(tmp_path / "list", body)
    nothing_changes(listing, cause)
    list_recovers(listing, tmp_path)


def test_list_script_hangs_with_its_children(listing: Resource, tmp_path: Path) -> None:
    script(tmp_path / "list", "sleep 7654322 & echo node1; sleep 7654322")
    nothing_changes(listing, "list: timed out after 2 s")
    assert processes("7654322") == []
    list_recovers(listing, tmp_path)


def test_list_script_leaves_a_child_behind(listing: Resource, tmp_path: Path) -> None:
    script(tmp_path / "list", "sleep 7654323 & echo node1 node2")
    works_again(listing)
    assert processes("7654323") == []


def test_list_script_cannot_be_executed(listing: Resource, tmp_path: Path) -> None:
    (tmp_path / "list").chmod(0o644)
    nothing_changes(listing, "cannot be executed: Permission denied")
    (tmp_path / "list").unlink()
    nothing_changes(listing, "cannot be executed: No such file or directory")
    script(tmp_path / "list", "").write_bytes(b"\x7fELF, or so it says")
    nothing_changes(listing, "list")
    list_recovers(listing, tmp_path)


CHECK_FAULTS = {
    "prints something else": ("echo perhaps", "check printed"),
    "prints megabytes": ("yes t | head -c 3000000", "so the fault may be here"),
    "cannot run something": ("exec /nowhere/at/all", "check gave no answer: exit status 127"),
    "fails for everybody": ("exit 1", "so the fault may be here"),
    "hangs for everybody": ("sleep 7654324 & sleep 7654324", "so the fault may be here"),
}


@pytest.fixture
def checking(world: World, tmp_path: Path) -> Resource:
    """Return a started service with real servers that a script checks."""
    path = script(tmp_path / "check", "echo t")
    counting = {"realserver_check_fall": 1, "realserver_check_rise": 1}
    parameters = {**STANDBYS, "realserver_check_active_real_server_script": path, **counting}
    return started(world.director1, tmp_path, **parameters, script_timeout="1s")


def check_recovers(resource: Resource, tmp_path: Path) -> None:
    script(tmp_path / "check", '[ "$1" = node3 ] && echo f || echo t')
    works_again(resource)


@pytest.mark.parametrize(("body", "cause"), CHECK_FAULTS.values(), ids=CHECK_FAULTS)
def test_check_script_is_broken(checking: Resource, tmp_path: Path, body: str, cause: str) -> None:
    script(tmp_path / "check", body)
    nothing_changes(checking, cause)
    assert processes("7654324") == []
    check_recovers(checking, tmp_path)


def test_check_script_cannot_be_executed(checking: Resource, tmp_path: Path) -> None:
    (tmp_path / "check").chmod(0o644)
    nothing_changes(checking, "cannot be executed: Permission denied")
    (tmp_path / "check").unlink()
    nothing_changes(checking, "cannot be executed: No such file or directory")
    check_recovers(checking, tmp_path)


def test_a_check_that_hangs_costs_its_own_host_only(checking: Resource, tmp_path: Path) -> None:
    """The monitor's timeout is shorter than script_timeout.

    node1, which died meanwhile, still goes.  node2 goes when a later check of node3 has succeeded.
    """
    del checking.parameters["script_timeout"]
    script(tmp_path / "check", '[ "$1" = node2 ] && sleep 7654325; echo t')
    checking.cluster(ALL[0].dead(), *ALL[1:])
    monitor = checking.begin("monitor", 10.0, 5.0)
    while "node1" in checking.pool():
        assert monitor.alive
    assert monitor.alive, "node1 did not wait for the check of node2"
    assert checking.pool() == {"node2": 1, "node3": 1}
    completed = monitor.wait()
    assert completed.returncode == DEGRADED, completed
    assert checking.pool() == {"node2": 1, "node3": 1}
    assert checking.monitor(10.0).exit_code == OK
    assert checking.pool() == {"node3": 1}
    assert processes("7654325") == []


# --- names


@pytest.fixture
def hosts_file() -> Iterator[Path]:
    before = HOSTS_FILE.read_text()
    yield HOSTS_FILE
    HOSTS_FILE.write_text(before)


def test_a_name_that_no_longer_resolves(world: World, tmp_path: Path, hosts_file: Path) -> None:
    known = hosts_file.read_text()
    hosts_file.write_text(f"{known}{world.node3.address} reader3\n")
    resource = started(world.director1, tmp_path, weight_of_realservers="node1,1 node2,1 reader3,1")
    hosts_file.write_text(known)
    nothing_changes(resource, "reader3 kept as it is: no address: ")
    resource.cluster(ALL[0].dead(), *ALL[1:])
    assert "reader3 kept as it is: no address: " in resource.monitor().reason
    assert resource.pool() == {"node2": 1, "node3": 1}, "that of node1 did not wait for a name"
    hosts_file.write_text(f"{known}{world.node3.address} reader3\n")
    resource.cluster(*ALL)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == EVEN


# --- start


def test_start_fails_when_nothing_is_learnt(world: World, tmp_path: Path) -> None:
    resource = Resource(world.director1, tmp_path)
    resource.cib.unlink()
    began = time.monotonic()
    result = resource.run("start", timeout=5.0)
    assert time.monotonic() - began < 15
    assert result.exit_code == FAILED
    assert "nothing is known of any real server: crm_mon" in result.reason
    assert world.director1.ipvs_text() == ""
    assert world.director1.sysctl("net/ipv4/vs/expire_nodest_conn") == "0"


def test_start_waits_until_something_is_learnt(world: World, tmp_path: Path) -> None:
    resource = Resource(world.director1, tmp_path)
    resource.cib.unlink()
    starting = resource.begin("start", timeout=40.0)
    time.sleep(3)
    assert starting.alive
    assert world.director1.ipvs_text() == "", "no service without its real servers"
    resource.cluster(*WITHOUT_NODE3)
    completed = starting.wait()
    assert completed.returncode == OK, completed
    assert resource.pool() == {"node1": 1, "node2": 1}


# --- parameters

OPTIONS, WEIGHTS = "virtual_service_options", "weight_of_realservers"
BROKEN = [
    *[("port", value) for value in ("0", "99999", "http")],
    *[("vip", value) for value in ("10.9.0.300", "db.example.com", f"{VIP}/24")],
    *[(WEIGHTS, value) for value in ("node1,x", "node1,-1", "node1,1,2", "node1,1 node1,2")],
    *[(OPTIONS, value) for value in ("-C", "-s nosuch", f"-s rr -t {VIP}:80", "-s rr; reboot")],
    *[("realserver_dependent_role", value) for value in ("Leader", "promoted")],
    *[("drain_timeout", value) for value in ("-5s", "soon")],
    *[("fallback_realservers", value) for value in ("node1,,", "-C", "node1,70000")],
    ("realserver_dependent_attribute_value", "HS:(sync"),
    ("script_timeout", "-1"),
    ("default_weight", "-1"),
    ("protocol", "http"),
    ("forwarding_method", "nat"),
    ("on_empty", "purge"),
    ("heartbeat_file", "relative/path"),
]


def test_broken_parameters_are_named_and_change_nothing(world: World, tmp_path: Path) -> None:
    with ForkedResource(world.director1, tmp_path) as resource:
        resource.start()
        before = world.director1.ipvs_text()
        resource.cluster(*WITHOUT_NODE3)
        for name, value in BROKEN:
            resource.parameters = {**STANDBYS, name: value}
            for action in ("validate-all", "start"):
                result = resource.run(action)
                assert result.exit_code == MISCONFIGURED, (action, result)
                assert f"{name}={value}: must be " in result.reason
            result = resource.run("reload-agent")
            assert result.exit_code == OK, result
            assert f"{name}={value}: must be " in result.reason
            assert result.reason.endswith(": left as it is")
            result = resource.monitor()
            assert result.exit_code == DEGRADED, result
            assert result.reason.startswith(f"{name}={value}: must be ")
            assert result.reason.endswith(": table left as it is")
            assert world.director1.ipvs_text() == before


def test_each_illegal_parameter_is_reported_in_its_own_line(world: World, tmp_path: Path) -> None:
    broken = {"port": "0", OPTIONS: "-C", WEIGHTS: "node1,x", "drain_timeout": "-5s"}
    resource = Resource(world.director1, tmp_path, {**STANDBYS, **broken})
    for action in ("validate-all", "start"):
        result = resource.run(action)
        assert result.exit_code == MISCONFIGURED
        said = result.stderr.splitlines()
        for name, value in broken.items():
            lines = [line for line in said if line.startswith(f"{name}={value}: must be ")]
            assert len(lines) == 1, result.stderr
    assert world.director1.ipvs_text() == ""


@pytest.mark.parametrize(
    "broken", [{"vip": "10.9.0.300", "port": "http"}, {OPTIONS: "-C", WEIGHTS: "node1,x"}]
)
def test_stop_with_broken_parameters(standbys: Resource, broken: dict[str, str]) -> None:
    standbys.parameters.update(broken)
    standbys.stop()
    assert standbys.host.ipvs_text() == ""
    assert standbys.host.sysctl("net/ipv4/vs/expire_nodest_conn") == "0"
    standbys.stop()


def test_a_probe_with_broken_parameters(standbys: Resource) -> None:
    """A started service is still found, although its parameters no longer name it."""
    standbys.parameters["port"] = "http"
    assert standbys.probe().exit_code == OK
    standbys.stop()
    assert standbys.probe().exit_code == 7


def test_the_agent_is_not_confused_by_a_script_that_is_not_installed(
    world: World, tmp_path: Path
) -> None:
    resource = Resource(world.director1, tmp_path, LISTED)
    resource.parameters["realserver_get_real_servers_script"] = "/nowhere/list --all"
    result = resource.run("validate-all", OCF_CHECK_LEVEL="10")
    assert (result.exit_code, "/nowhere/list" in result.reason) == (NOT_INSTALLED, True)
