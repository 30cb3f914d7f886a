"""Faults of a real Patroni, and their effects on a client of the database."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.leader.database_client import Queries, querying
from tests.leader.etcd import Cluster
from tests.leader.fault_report import title
from tests.leader.fault_scenario import CLIENT, FaultScenario, prepare_scenario
from tests.leader.manager import VIP, Manager
from tests.leader.network import Host
from tests.leader.patroni import PORT, Patroni, running
from tests.support.waiting import wait_until

TTL = 20.0  # seconds, the least that Patroni accepts
SOON = 30.0  # seconds; longer than a promotion


@pytest.fixture(scope="module")
def patroni(hosts: dict[str, Host], standing_etcd: Cluster) -> Iterator[Patroni]:
    with running([hosts["node1"], hosts["node2"]], standing_etcd) as made:
        yield made


@pytest.fixture
def leader(patroni: Patroni) -> Host:
    """Return the initial leader."""
    return patroni.leader()


@pytest.fixture
def by() -> str:
    """Return the kind of store that the daemons query."""
    return "etcd"


@pytest.fixture
def scenario(
    request: pytest.FixtureRequest,
    hosts: dict[str, Host],
    tmp_path: Path,
    patroni: Patroni,
    standing_etcd: Cluster,
    leader: Host,
    by: str,
) -> Iterator[FaultScenario]:
    """Yield a scenario with the leader as its first node."""
    nodes = [leader, patroni.other(leader)]
    managers = [Manager(host, standing_etcd.endpoints, tmp_path / host.name, {}) for host in nodes]
    if by == "patroni":
        for manager in managers:
            manager.environ.update(VIP_DCS_TYPE="patroni", VIP_TRIGGER_VALUE="200")
            manager.environ["VIP_TRIGGER_KEY"] = "/leader"
            manager.environ["VIP_DCS_ENDPOINTS"] = f"http://{manager.host.front}:{PORT}"
    with prepare_scenario(title(request), hosts, managers) as made:
        made.begin()
        yield made


@pytest.fixture
def queries(hosts: dict[str, Host], scenario: FaultScenario) -> Iterator[Queries]:
    """Yield running queries, once some have been answered."""
    assert scenario.managers
    with querying(hosts[CLIENT], VIP) as made:
        wait_until(lambda: len(made.answered) > 2)
        yield made


def judge(scenario: FaultScenario, queries: Queries, most: float, interrupted: bool = True) -> None:
    """Wait until queries are answered again. Assert that no read-only database answered."""
    count = len(queries.answered)
    wait_until(lambda: len(queries.answered) > count + 5, seconds=SOON)
    queries.stop()
    scenario.queries = f"queries without {queries.longest:.1f} s, by a standby {queries.standbys}"
    scenario.end(most=most)
    assert queries.standbys == 0
    assert queries.longest < most + SOON if interrupted else queries.longest < SOON


@pytest.mark.parametrize("by", ["etcd", "patroni"])
def test_patroni_switchover(scenario: FaultScenario, patroni: Patroni, queries: Queries) -> None:
    patroni.switch_over()
    scenario.moved_to(1)
    judge(scenario, queries, most=SOON)


def test_patroni_the_leading_member_of_etcd_crashes(
    scenario: FaultScenario, queries: Queries, standing_etcd: Cluster
) -> None:
    with ExitStack() as stack:
        stack.callback(standing_etcd.mend)
        standing_etcd.kill(standing_etcd.leader())
        scenario.asked_again(0, 1)
        judge(scenario, queries, most=0, interrupted=False)


@pytest.mark.parametrize("by", ["patroni"])
def test_patroni_the_leader_is_stopped(
    scenario: FaultScenario, patroni: Patroni, queries: Queries, leader: Host
) -> None:
    """The leader's API falls silent first, so the address goes before another member leads."""
    process = patroni.processes[leader.name]
    os.kill(process.pid, signal.SIGTERM)
    scenario.moved_to(1)
    wait_until(lambda: not process.alive)
    judge(scenario, queries, most=SOON)
    assert scenario.says(0, "stopped")
    patroni.start(leader)
    patroni.leader()


def test_patroni_the_leader_crashes(
    scenario: FaultScenario, patroni: Patroni, queries: Queries, leader: Host
) -> None:
    """The address moves after a crash. This is the last test, because the node stays down."""
    scenario.crash(0)
    scenario.moved_to(1)
    assert leader.unplugged
    assert patroni.passes(scenario.nodes[1], "/leader")
    judge(scenario, queries, most=TTL + SOON)
