"""The actions of the agent lvsdr-realsvr as processes, as far as they change nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.agents.realsvr import AGENT

from tests.unit.agents.processes import ROOT, Run, run, seen_by_nobody

STUB = ROOT / "ocf" / "lvsdr-realsvr"
# Of networks for documentation, so that no machine has them.
LEGAL = {"vip": "203.0.113.20"}
LEGAL6 = {"vip": "2001:db8::20", "drain_timeout": "5min"}
BROKEN = {"vip": "10.9.0.300", "nic_lo": "eth0", "drain_timeout": "-5"}
PARAMETERS = {"legal": LEGAL, "legal6": LEGAL6, "broken": BROKEN, "none": {}}
RECURRING = {"OCF_RESKEY_CRM_meta_interval": "5000"}
NO_PROGRAMS = {"OCF_TESTER_FAIL_HAVE_BINARY": "1"}


@pytest.fixture(scope="module")
def nobody() -> Iterator[Path]:
    """The agent, run by somebody who may do nothing."""
    with seen_by_nobody("lvsdr-realsvr") as stub:
        yield stub


@pytest.fixture
def rsctmp(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the agent keeps its state: nobody can look there, but not write."""
    if "nobody" in request.fixturenames:
        stub: Path = request.getfixturevalue("nobody")
        return stub.parents[1] / "resource-agents"
    return tmp_path / "resource-agents"


@pytest.mark.parametrize("environ", [{}, RECURRING], ids=["probe", "recurring"])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_monitor_where_nothing_runs(
    parameters: str, environ: dict[str, str], nobody: Path, rsctmp: Path
) -> None:
    """Without privilege, programs, directory, or sound parameters."""
    done = run(nobody, "monitor", rsctmp, PARAMETERS[parameters], **NO_PROGRAMS, **environ)
    assert done == Run(7, "", "")
    assert not rsctmp.exists()


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
    assert (done.code, done.reason) == (4, "only root may change the addresses of lo")


@pytest.mark.skipif(os.geteuid() != 0, reason="without root start ends before it looks")
def test_start_without_ip(rsctmp: Path) -> None:
    done = run(STUB, "start", rsctmp, LEGAL, **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ip is not installed")


def test_reload_of_nothing(rsctmp: Path) -> None:
    done = run(STUB, "reload-agent", rsctmp, LEGAL)
    assert done.code in (1, 4)  # 4 where the tests are not run by root
    assert done.reason


@pytest.mark.parametrize("action", ["start", "validate-all", "reload-agent"])
def test_broken_parameters_are_all_told(action: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, action, rsctmp, BROKEN)
    assert done.code == 6
    *lines, last = done.err.splitlines()
    assert [line.partition("=")[0] for line in lines] == list(BROKEN)
    assert all(": must be " in line for line in lines)
    assert last == "ocf-exit-reason:" + "; ".join(lines)


@pytest.mark.parametrize("parameters", ["legal", "legal6"])
def test_validate_all_is_about_syntax_only(parameters: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "validate-all", rsctmp, PARAMETERS[parameters], **NO_PROGRAMS)
    assert done == Run(0, "", "")


def test_validate_all_without_programs(rsctmp: Path) -> None:
    done = run(STUB, "validate-all", rsctmp, LEGAL, OCF_CHECK_LEVEL="10", **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ip is not installed")


@pytest.mark.parametrize("action", ["", "restart", "status", "promote", "notify"])
def test_anything_else_is_not_implemented(action: str, rsctmp: Path) -> None:
    done = run(STUB, action, rsctmp, LEGAL)
    assert (done.code, done.out, done.err) == (3, AGENT.usage(), "")


def test_metadata_for_nobody(nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "meta-data", rsctmp, {}, **NO_PROGRAMS)
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
