"""Messages of the agent lvsdr about its environment, as processes; IPVS is not needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.agents.processes import Run, run
from tests.unit.agents.subjects import NO_PROGRAMS, SUBJECTS
from tests.unit.crm import cib
from tests.unit.pools import program

LVSDR = SUBJECTS["lvsdr"]


@pytest.fixture
def rsctmp(tmp_path: Path) -> Path:
    return tmp_path / "resource-agents"


def test_a_missing_script_is_no_syntax_error(rsctmp: Path) -> None:
    settings = {**LVSDR.legal, "realserver_get_real_servers_script": "/nowhere/list"}
    done = run(LVSDR.stub, "validate-all", rsctmp, settings, CIB_file="/nowhere", **NO_PROGRAMS)
    assert done == Run(0, "", "")


def validate(rsctmp: Path, **settings: str) -> Run:
    """Validate the parameters and the environment on the recorded cluster."""
    environ = {"OCF_CHECK_LEVEL": "10", "CIB_file": str(cib("steady"))}
    return run(LVSDR.stub, "validate-all", rsctmp, {**LVSDR.legal, **settings}, **environ)


def test_validate_all_with_a_sound_environment(tmp_path: Path, rsctmp: Path) -> None:
    script = program(tmp_path, "print('203.0.113.22')")
    settings = {
        "realserver_get_real_servers_script": script.argv[0],
        "heartbeat_file": f"{tmp_path}/beat",
    }
    assert validate(rsctmp, **settings) == Run(0, "", "")
    assert not (tmp_path / "beat").exists()


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


def test_validate_all_with_a_heartbeat_in_the_kernel(rsctmp: Path) -> None:
    done = validate(rsctmp, heartbeat_file="/proc/sysrq-trigger")
    assert (done.code, "it is below /proc or /sys" in done.reason) == (2, True)


@pytest.mark.parametrize("path", ["/dev/null", "/dev/log", "/tmp"])
def test_validate_all_with_a_heartbeat_that_is_no_file(path: str, rsctmp: Path) -> None:
    done = validate(rsctmp, heartbeat_file=path if Path(path).exists() else "/dev/zero")
    assert done.code == 2
    assert done.reason.endswith(": it is not a regular file with one name, and is left alone")


def test_validate_all_with_a_resource_that_is_not_there(rsctmp: Path) -> None:
    done = validate(rsctmp, realserver_dependent_resource="typo")
    assert (done.code, done.reason) == (
        2,
        "no real server is known: the cluster has no resource typo",
    )
