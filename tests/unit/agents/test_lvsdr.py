"""The actions of the agent lvsdr that need no kernel with IPVS, as processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.agents.lvsdr import AGENT

from tests.unit.agents.processes import ROOT, Run, run, seen_by_nobody
from tests.unit.crm import cib
from tests.unit.pools import program

STUB = ROOT / "ocf" / "lvsdr"
# Of a network for documentation, so that no kernel has such a service.
LEGAL = {"vip": "203.0.113.20", "port": "5432", "weight_of_realservers": "203.0.113.21 node1"}
BROKEN = {
    "vip": "10.9.0.300",
    "port": "http",
    "weight_of_realservers": "node1,x",
    "realserver_dependent_attribute_value": "(",
    "virtual_service_options": "-C",
    "drain_timeout": "-5",
}
PARAMETERS = {"legal": LEGAL, "broken": BROKEN, "none": {}}
RECURRING = {"OCF_RESKEY_CRM_meta_interval": "5000"}
NO_PROGRAMS = {"OCF_TESTER_FAIL_HAVE_BINARY": "1"}


@pytest.fixture(scope="module")
def nobody() -> Iterator[Path]:
    """The agent, run by somebody who may do nothing."""
    with seen_by_nobody("lvsdr") as stub:
        yield stub


@pytest.fixture
def rsctmp(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the agent keeps its state: nobody can look there, but not write."""
    if "nobody" in request.fixturenames:
        stub: Path = request.getfixturevalue("nobody")
        return stub.parents[1] / "resource-agents"
    return tmp_path / "resource-agents"


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_probe_where_nothing_runs(parameters: str, nobody: Path, rsctmp: Path) -> None:
    """Without privilege, programs, cluster, directory, or sound parameters."""
    settings = PARAMETERS[parameters]
    done = run(nobody, "monitor", rsctmp, settings, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(7, "", "")
    assert not rsctmp.exists()


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_monitor_where_nothing_runs(parameters: str, nobody: Path, rsctmp: Path) -> None:
    settings = PARAMETERS[parameters]
    assert run(nobody, "monitor", rsctmp, settings, **RECURRING) == Run(7, "", "")


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_stop_where_nothing_runs(parameters: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "stop", rsctmp, PARAMETERS[parameters], **NO_PROGRAMS)
    assert done == Run(0, "", "")


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_stop_with_the_privilege(parameters: str, rsctmp: Path) -> None:
    """As whoever runs the tests."""
    for _ in range(2):
        assert run(STUB, "stop", rsctmp, PARAMETERS[parameters], **NO_PROGRAMS) == Run(0, "", "")


def test_start_without_the_privilege(nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "start", rsctmp, LEGAL)
    assert (done.code, done.reason) == (4, "only root may change the IPVS table")


@pytest.mark.skipif(os.geteuid() != 0, reason="without root start ends before it looks")
def test_start_without_ipvsadm(rsctmp: Path) -> None:
    done = run(STUB, "start", rsctmp, LEGAL, **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ipvsadm is not installed")


@pytest.mark.parametrize("action", ["start", "validate-all", "reload-agent"])
def test_broken_parameters_are_all_told(action: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, action, rsctmp, BROKEN)
    assert done.code == 6
    *lines, last = done.err.splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "vip",
        "port",
        "virtual_service_options",
        "weight_of_realservers",
        "realserver_dependent_attribute_value",
        "drain_timeout",
    ]
    assert all(": must be " in line for line in lines)
    assert last == "ocf-exit-reason:" + "; ".join(lines)


def test_reload_of_nothing(rsctmp: Path) -> None:
    done = run(STUB, "reload-agent", rsctmp, LEGAL)
    assert done.code in (1, 4)  # 4 where the tests are not run by root
    assert done.reason


def test_validate_all_is_about_syntax_only(nobody: Path, rsctmp: Path) -> None:
    settings = {**LEGAL, "realserver_get_real_servers_script": "/nowhere/list"}
    done = run(nobody, "validate-all", rsctmp, settings, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(0, "", "")


def validate(rsctmp: Path, **settings: str) -> Run:
    """Validate the environment, too, on the recorded cluster."""
    environ = {"OCF_CHECK_LEVEL": "10", "CIB_file": str(cib("steady"))}
    return run(STUB, "validate-all", rsctmp, {**LEGAL, **settings}, **environ)


def test_validate_all_with_a_sound_environment(tmp_path: Path, rsctmp: Path) -> None:
    script = program(tmp_path, "print('203.0.113.22')")
    settings = {
        "realserver_get_real_servers_script": script.argv[0],
        "heartbeat_file": f"{tmp_path}/beat",
    }
    assert validate(rsctmp, **settings) == Run(0, "", "")
    assert not (tmp_path / "beat").exists()


def test_validate_all_without_programs(rsctmp: Path) -> None:
    done = run(STUB, "validate-all", rsctmp, LEGAL, OCF_CHECK_LEVEL="10", **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ipvsadm is not installed")


@pytest.mark.parametrize(
    "name", ["realserver_get_real_servers_script", "realserver_check_active_real_server_script"]
)
def test_validate_all_without_a_script(name: str, rsctmp: Path) -> None:
    done = validate(rsctmp, **{name: "/nowhere/script --password=secret"})
    assert (done.code, done.reason) == (
        5,
        "script /nowhere/script is not there, or not executable",
    )


def test_validate_all_without_a_directory_for_the_heartbeat(rsctmp: Path) -> None:
    done = validate(rsctmp, heartbeat_file="/nowhere/beat")
    assert (done.code, done.reason) == (2, "heartbeat_file=/nowhere/beat: no directory /nowhere")


def test_validate_all_with_a_resource_that_is_not_there(rsctmp: Path) -> None:
    done = validate(rsctmp, realserver_dependent_resource="typo")
    assert (done.code, done.reason) == (
        2,
        "no real server is known: the cluster has no resource typo",
    )


@pytest.mark.parametrize("action", ["", "restart", "status", "promote", "notify"])
def test_anything_else_is_not_implemented(action: str, rsctmp: Path) -> None:
    done = run(STUB, action, rsctmp, LEGAL)
    assert (done.code, done.out, done.err) == (3, AGENT.usage(), "")


def test_metadata_for_nobody(nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "meta-data", rsctmp, {}, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(0, AGENT.metadata(), "")
    assert not rsctmp.exists()


def test_the_actions() -> None:
    assert {action.name for action in AGENT.all_actions if action.advertised} == {
        "start",
        "stop",
        "monitor",
        "reload-agent",
        "meta-data",
        "validate-all",
    }
