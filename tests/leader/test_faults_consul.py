"""vip-manager with what stands in for Consul, asked at an agent on each node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.consul import Consul, serving
from tests.leader.faultreport import title
from tests.leader.managing import VIP, Manager, addresses
from tests.leader.network import Host
from tests.leader.stage import Stage, staged
from tests.leader.waiting import until

KEY = "service/mycluster/leader"
GRACE = 3
SOON = 10.0


@pytest.fixture
def consul() -> Consul:
    """node1 holds the lock."""
    made = Consul(KEY)
    made.acquire("session-1", "node1")
    return made


@pytest.fixture
def stage(
    request: pytest.FixtureRequest, hosts: dict[str, Host], tmp_path: Path, consul: Consul
) -> Iterator[Stage]:
    with ExitStack() as stack:
        managers = []
        for name in ("node1", "node2"):
            with hosts[name].entered():
                port = stack.enter_context(serving(consul))
            settings = {
                "VIP_DCS_TYPE": "consul",
                "VIP_TRIGGER_KEY": f"/{KEY}",
                "VIP_DCS_GRACE": str(GRACE),
            }
            endpoints = [f"http://127.0.0.1:{port}"]
            managers.append(Manager(hosts[name], endpoints, tmp_path / name, settings))
        stage = stack.enter_context(staged(title(request), hosts, managers))
        stage.begin()
        yield stage


def test_consul_switchover_and_back(stage: Stage, consul: Consul) -> None:
    for number in (1, 0):
        consul.release()
        consul.acquire(f"another session {number}", stage.nodes[number].name)
        stage.moved_to(number)
    stage.end(most=SOON)


def test_consul_session_ends(stage: Stage, consul: Consul) -> None:
    """Nobody leads for longer than the grace, though the key still has the name."""
    consul.release()
    until(lambda: VIP not in addresses(stage.nodes[0]))
    consul.acquire("session-2", "node2")
    stage.moved_to(1)
    stage.end(most=GRACE + 2 * SOON)


def test_consul_without_a_leader(stage: Stage, consul: Consul) -> None:
    """Its servers answer nothing that counts."""
    consul.lose_leader()
    until(lambda: VIP not in addresses(stage.nodes[0]))
    assert stage.says(0, "unknown")
    consul.leader = True
    stage.moved_to(0)
    stage.end(most=GRACE + 2 * SOON)
