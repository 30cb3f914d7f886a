"""vip-manager with Consul, the real one and its stand-in, queried at an agent on each node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cases.consul_cases import KEY, Servers
from tests.fakes.consul import Consul as StandIn
from tests.fakes.consul import serving
from tests.leader.consul import PORT, Agent, Consul
from tests.leader.fault_report import title
from tests.leader.fault_scenario import FaultScenario, prepare_scenario
from tests.leader.manager import VIP, Manager, addresses
from tests.leader.network import Host
from tests.support.waiting import wait_until

GRACE = 3
SOON = 10.0
NODES = ("node1", "node2")


@pytest.fixture(params=["Consul", "stand-in"])
def consul(request: pytest.FixtureRequest) -> Servers:
    """Return servers where node1 holds the lock."""
    if request.param == "Consul":
        real: Consul = request.getfixturevalue("real_consul")
        return real
    made = StandIn(KEY)
    made.acquire("session-1", "node1")
    return made


@contextmanager
def agents(consul: Servers, nodes: Sequence[Host], place: Path) -> Iterator[list[int]]:
    """Run an agent of Consul on each of these nodes, and yield their ports on 127.0.0.1."""
    with ExitStack() as stack:
        if isinstance(consul, Consul):
            hosts = [server.host for server in consul.servers]
            for node in nodes:
                agent = Agent(node, hosts, place / node.name / "consul")
                stack.callback(agent.start().close)
                wait_until(lambda a=agent: a.call("GET", f"kv/{KEY}")[0] == 200)  # type: ignore[misc]
            yield [PORT for _ in nodes]
            return
        assert isinstance(consul, StandIn)
        ports = []
        for node in nodes:
            with node.entered():
                ports.append(stack.enter_context(serving(consul)))
        yield ports


@pytest.fixture
def scenario(
    request: pytest.FixtureRequest, hosts: dict[str, Host], tmp_path: Path, consul: Servers
) -> Iterator[FaultScenario]:
    """Yield two nodes with daemons; the first has the address."""
    nodes = [hosts[name] for name in NODES]
    with ExitStack() as stack:
        managers = []
        ports = stack.enter_context(agents(consul, nodes, tmp_path))
        for node, port in zip(nodes, ports):
            settings = {
                "VIP_DCS_TYPE": "consul",
                "VIP_TRIGGER_KEY": f"/{KEY}",
                "VIP_DCS_GRACE": str(GRACE),
            }
            endpoints = [f"http://127.0.0.1:{port}"]
            managers.append(Manager(node, endpoints, tmp_path / node.name, settings))
        scenario = stack.enter_context(prepare_scenario(title(request), hosts, managers))
        scenario.begin()
        yield scenario


def test_consul_switchover_and_back(scenario: FaultScenario, consul: Servers) -> None:
    for number in (1, 0):
        consul.release()
        consul.acquire(f"another session {number}", scenario.nodes[number].name)
        scenario.moved_to(number)
    scenario.end(most=SOON)


@pytest.mark.parametrize(
    "end",
    [lambda consul: consul.release(), lambda consul: consul.end_session()],
    ids=["release", "end of the session"],
)
def test_consul_lock_is_free(
    scenario: FaultScenario, consul: Servers, end: Callable[[Servers], None]
) -> None:
    """A free lock counts as no leader, though the key still contains a name."""
    end(consul)
    wait_until(lambda: VIP not in addresses(scenario.nodes[0]))
    consul.acquire("session-2", "node2")
    scenario.moved_to(1)
    scenario.end(most=GRACE + 2 * SOON)


def test_consul_without_a_leader(scenario: FaultScenario, consul: Servers) -> None:
    """Servers without a leader give no valid answer."""
    consul.lose_leader()
    wait_until(lambda: VIP not in addresses(scenario.nodes[0]))
    assert scenario.says(0, "unknown")
    consul.mend()
    scenario.moved_to(0)
    scenario.end(most=GRACE + 2 * SOON)


def test_the_leading_node_crashes(
    request: pytest.FixtureRequest, hosts: dict[str, Host], tmp_path: Path, real_consul: Consul
) -> None:
    """The session of a crashed node ends because the servers no longer reach its agent."""
    nodes = [hosts[name] for name in NODES]
    settings = {"VIP_DCS_TYPE": "consul", "VIP_TRIGGER_KEY": KEY, "VIP_DCS_GRACE": str(GRACE)}
    endpoints = [f"http://127.0.0.1:{PORT}"]
    managers = [Manager(node, endpoints, tmp_path / node.name, settings) for node in nodes]
    agent = Agent(nodes[0], [server.host for server in real_consul.servers], tmp_path)
    with ExitStack() as stack:
        stack.enter_context(agents(real_consul, nodes, tmp_path))
        real_consul.release()
        real_consul.acquire("session of node1", "node1", agent)
        scenario = stack.enter_context(prepare_scenario(title(request), hosts, managers))
        scenario.begin()
        scenario.crash(0)
        wait_until(lambda: not real_consul.is_locked(), seconds=60)
        real_consul.acquire("session-2", "node2")
        scenario.moved_to(1)
        scenario.end(most=60)
