"""Clocks that jump, and clocks that differ from host to host.

libfaketime moves the wall clock of the daemons' processes only, because this machine's clock serves
other programs. Their monotonic clocks are those of time namespaces (time_namespaces(7)).
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.leader.etcd import Cluster
from tests.leader.fault_report import title
from tests.leader.fault_scenario import FaultScenario, contending, prepare_scenario
from tests.leader.manager import TOOL, Manager
from tests.leader.network import Host
from tests.support.processes import Running, with_variables

GRACE, TTL = 3, 6
SOON = 10.0
DAY = 86400


class InItsTime(Manager):
    """A daemon on a host that appears to have been up for more seconds."""

    def __init__(
        self,
        host: Host,
        endpoints: Sequence[str],
        place: Path,
        settings: Mapping[str, str],
        seconds: int,
    ) -> None:
        super().__init__(host, endpoints, place, settings)
        self._seconds = seconds

    def start(self, *arguments: str) -> Running:
        clocks = ["--monotonic", str(self._seconds), "--boottime", str(self._seconds)]
        argv = ["unshare", "--time", *clocks, "--fork", TOOL, *arguments]
        self.process = self.host.start(argv, env=with_variables(self.environ))
        return self.process


@pytest.fixture
def store(standing_etcd: Cluster) -> Iterator[Cluster]:
    standing_etcd.mend()
    standing_etcd.delete()
    yield standing_etcd
    standing_etcd.delete()


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """Return the file with the error of the daemons' wall clock."""
    file = tmp_path / "clock"
    file.write_text("+0")
    return file


@pytest.fixture
def jumping(clock: Path) -> dict[str, str]:
    """Return the environment that makes a process use the file."""
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def run(
    stack: ExitStack,
    title: str,
    hosts: dict[str, Host],
    store: Cluster,
    managers: Sequence[Manager],
) -> FaultScenario:
    scenario = stack.enter_context(prepare_scenario(title, hosts, managers))
    stack.enter_context(contending(scenario, [store.endpoints] * 2, TTL))
    scenario.begin()
    return scenario


def test_the_wall_clock_jumps(
    hosts: dict[str, Host],
    store: Cluster,
    tmp_path: Path,
    clock: Path,
    jumping: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    """The address stays when both wall clocks jump, and moves in a handover."""
    settings = {"VIP_DCS_GRACE": str(GRACE), **jumping}
    managers = [
        Manager(hosts[name], store.endpoints, tmp_path / name, settings)
        for name in ("node1", "node2")
    ]
    with ExitStack() as stack:
        scenario = run(stack, title(request), hosts, store, managers)
        for jump in ("+3d", "-3d", "+0"):
            clock.write_text(jump)
            scenario.asked_again(0, 1)
        assert scenario.segment.longest == 0
        scenario.contenders[0].hand_over(scenario.contenders[1])
        scenario.moved_to(1)
        scenario.end(most=SOON)


def test_hosts_have_not_been_up_equally_long(
    hosts: dict[str, Host], store: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A day's difference of the hosts' monotonic clocks does no harm: they are never compared."""
    settings = {"VIP_DCS_GRACE": str(GRACE)}
    managers = [
        InItsTime(hosts[name], store.endpoints, tmp_path / name, settings, seconds)
        for name, seconds in (("node1", DAY), ("node2", 0))
    ]
    with ExitStack() as stack:
        scenario = run(stack, title(request), hosts, store, managers)
        for old, new in ((0, 1), (1, 0)):
            scenario.contenders[old].hand_over(scenario.contenders[new])
            scenario.moved_to(new)
        scenario.end(most=SOON)
