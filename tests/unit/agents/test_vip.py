"""The actions of the agent vip that change no network, as processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.agents.vip import AGENT

from tests.unit.agents.processes import ROOT, Run, run, seen_by_nobody

STUB = ROOT / "ocf" / "vip"
# Of a network for documentation, so that no machine is connected to it.
LEGAL = {"ip": "203.0.113.20", "iflabel": "read"}
ON_LO = {"ip": "203.0.113.20", "nic": "lo", "cidr_netmask": "32"}
NO_NIC = {"ip": "203.0.113.20", "nic": "nosuch0", "cidr_netmask": "24"}
BROKEN = {
    "ip": "203.0.113.300",
    "cidr_netmask": "33.3",
    "nic": "eth0:1",
    "iflabel": "a b",
    "arp_count": "-1",
    "preferred_lft": "soon",
}
PARAMETERS = {"legal": LEGAL, "broken": BROKEN, "none": {}, "lo": ON_LO, "no nic": NO_NIC}
RECURRING = {"OCF_RESKEY_CRM_meta_interval": "10000"}
NO_PROGRAMS = {"OCF_TESTER_FAIL_HAVE_BINARY": "1"}


@pytest.fixture(scope="module")
def nobody() -> Iterator[Path]:
    """The agent, run by somebody who may do nothing."""
    with seen_by_nobody("vip") as stub:
        yield stub


@pytest.fixture
def rsctmp(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the agent keeps its state: nobody can look there, but not write."""
    if "nobody" in request.fixturenames:
        stub: Path = request.getfixturevalue("nobody")
        return stub.parents[1] / "resource-agents"
    return tmp_path / "resource-agents"


@pytest.mark.parametrize("programs", [{}, NO_PROGRAMS])
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_probe_where_nothing_runs(
    parameters: str, programs: dict[str, str], nobody: Path, rsctmp: Path
) -> None:
    """Without privilege, directory, or sound parameters."""
    done = run(nobody, "monitor", rsctmp, PARAMETERS[parameters], **programs)
    assert done == Run(7, "", "")
    assert not rsctmp.exists()


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_a_monitor_where_nothing_runs(parameters: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "monitor", rsctmp, PARAMETERS[parameters], **RECURRING)
    assert done.code == 7
    assert done.reason


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_stop_where_nothing_runs(parameters: str, nobody: Path, rsctmp: Path) -> None:
    for programs in ({}, NO_PROGRAMS):
        assert run(nobody, "stop", rsctmp, PARAMETERS[parameters], **programs) == Run(0, "", "")


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_stop_with_the_privilege(parameters: str, rsctmp: Path) -> None:
    """As whoever runs the tests."""
    for _ in range(2):
        assert run(STUB, "stop", rsctmp, PARAMETERS[parameters]) == Run(0, "", "")


def test_start_without_the_privilege(nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "start", rsctmp, LEGAL)
    assert (done.code, done.reason) == (4, "only root may change the addresses of an interface")


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="without root start ends before it looks")


@as_root
def test_start_without_ip(rsctmp: Path) -> None:
    done = run(STUB, "start", rsctmp, LEGAL, **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ip (package iproute2) is not installed")


NOWHERE = [
    (LEGAL, "no interface of this node is connected to a network of 203.0.113.20: set nic"),
    (NO_NIC, "nic=nosuch0: this node has no such interface"),
    (
        {**LEGAL, "nic": "lo"},
        "nic=lo: is a loopback interface, where nobody would find 203.0.113.20; "
        "the agent lvsdr-realsvr puts addresses there",
    ),
]


@as_root
@pytest.mark.parametrize(("settings", "reason"), NOWHERE)
def test_start_where_the_address_has_no_place(
    settings: dict[str, str], reason: str, rsctmp: Path
) -> None:
    done = run(STUB, "start", rsctmp, settings)
    assert (done.code, done.reason) == (2, reason)
    assert not (rsctmp / "lvsdr-read-vip.state").exists()


@pytest.mark.parametrize(("settings", "reason"), NOWHERE)
def test_validate_all_where_the_address_has_no_place(
    settings: dict[str, str], reason: str, nobody: Path, rsctmp: Path
) -> None:
    assert run(nobody, "validate-all", rsctmp, settings) == Run(0, "", "")
    done = run(nobody, "validate-all", rsctmp, settings, OCF_CHECK_LEVEL="10")
    assert (done.code, done.reason) == (2, reason)


def test_validate_all_without_ip(nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, "validate-all", rsctmp, LEGAL, OCF_CHECK_LEVEL="10", **NO_PROGRAMS)
    assert (done.code, done.reason) == (5, "program ip (package iproute2) is not installed")


@pytest.mark.parametrize("action", ["start", "validate-all", "reload-agent"])
def test_broken_parameters_are_all_told(action: str, nobody: Path, rsctmp: Path) -> None:
    done = run(nobody, action, rsctmp, BROKEN)
    assert done.code == 6
    *lines, last = done.err.splitlines()
    assert [line.partition("=")[0] for line in lines] == list(BROKEN)
    assert all(": must be " in line for line in lines)
    assert last == "ocf-exit-reason:" + "; ".join(lines)


@as_root
def test_reload_of_nothing(rsctmp: Path) -> None:
    done = run(STUB, "reload-agent", rsctmp, LEGAL)
    assert (done.code, done.reason) == (
        1,
        "nothing to be reloaded: "
        "no interface of this node is connected to a network of the address",
    )


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
