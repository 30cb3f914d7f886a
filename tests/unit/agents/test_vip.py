"""Answers of the agent vip if an address has no place, as processes that change no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.agents.processes import Run, Settings, run
from tests.unit.agents.subjects import RECURRING, SUBJECTS

VIP = SUBJECTS["vip"]


@pytest.fixture
def rsctmp(tmp_path: Path) -> Path:
    return tmp_path / "resource-agents"


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="without root start ends before it looks")


@pytest.mark.parametrize("settings", VIP.settings)
def test_a_recurring_monitor_gives_a_reason(settings: str, rsctmp: Path) -> None:
    assert run(VIP.stub, "monitor", rsctmp, VIP.settings[settings], **RECURRING).reason


NOWHERE = [
    (VIP.legal, "no interface of this node is connected to a network of 203.0.113.20: set nic"),
    (VIP.settings["no nic"], "nic=nosuch0: this node has no such interface"),
    (
        {**VIP.legal, "nic": "lo"},
        "nic=lo: is a loopback interface, on which other hosts cannot reach 203.0.113.20; "
        "the agent lvsdr-realsvr puts addresses there",
    ),
]


@as_root
@pytest.mark.parametrize(("settings", "reason"), NOWHERE)
def test_start_fails_without_a_place_for_the_address(
    settings: Settings, reason: str, rsctmp: Path
) -> None:
    done = run(VIP.stub, "start", rsctmp, settings)
    assert (done.code, done.reason) == (2, reason)
    assert not (rsctmp / "lvsdr-read-vip.state").exists()


@pytest.mark.parametrize(("settings", "reason"), NOWHERE)
def test_validate_all_reports_a_missing_place_at_level_10(
    settings: Settings, reason: str, rsctmp: Path
) -> None:
    assert run(VIP.stub, "validate-all", rsctmp, settings) == Run(0, "", "")
    done = run(VIP.stub, "validate-all", rsctmp, settings, OCF_CHECK_LEVEL="10")
    assert (done.code, done.reason) == (2, reason)


@as_root
def test_reload_without_the_address_fails(rsctmp: Path) -> None:
    done = run(VIP.stub, "reload-agent", rsctmp, VIP.legal)
    assert (done.code, done.reason) == (
        1,
        "cannot reload: no interface of this node is connected to a network of the address",
    )
