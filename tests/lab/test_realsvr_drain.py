"""Stop of lvsdr-realsvr with drain_timeout waits for connections to the virtual IP on this node."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.host import VIP, VIP6
from tests.lab.operation import AgentResult, agent_result
from tests.lab.realsvr_agent import RealServer, balance, on_lo, unprepared
from tests.lab.world import World
from tests.support import cib
from tests.support.processes import Running

OTHER = "10.77.0.101"


@pytest.fixture(params=[VIP, VIP6])
def resource(request: pytest.FixtureRequest, world: World) -> Iterator[RealServer]:
    """Yield a started real server behind the director, with a drain_timeout of 60 s."""
    with unprepared([world.node1], [world.node1]):
        resource = RealServer(world.node1, request.param, drain_timeout="60s")
        resource.start()
        balance(world.director1, [world.node1], request.param)
        yield resource


def ended(running: Running) -> AgentResult:
    result = agent_result(running.wait())
    assert result.exit_code == 0, result
    return result


def test_a_session_keeps_stop_waiting_until_it_ends(world: World, resource: RealServer) -> None:
    session = world.client.connect(str(resource.parameters["vip"]))
    running = resource.begin("stop", 90.0)
    time.sleep(3)
    assert running.alive
    assert session.alive
    assert len(on_lo(resource.host)) == 1
    # The session ends because its client closes it.
    session.close()
    closed = time.monotonic()
    result = ended(running)
    assert time.monotonic() - closed < 10
    assert "connections to wait for: 1, at most 60 s" in result.stderr
    assert "left at the end" not in result.stderr
    assert on_lo(resource.host) == []


def test_stop_goes_on_when_the_time_is_up(world: World, resource: RealServer) -> None:
    resource.parameters["drain_timeout"] = "2s"
    session = world.client.connect(str(resource.parameters["vip"]))
    begun = time.monotonic()
    result = ended(resource.begin("stop", 60.0))
    assert 2 <= time.monotonic() - begun < 15
    assert "connections left at the end of drain_timeout: 1" in result.stderr
    assert on_lo(resource.host) == []
    session.close()


def test_stop_keeps_within_its_own_timeout(world: World, resource: RealServer) -> None:
    resource.parameters["drain_timeout"] = "1h"
    session = world.client.connect(str(resource.parameters["vip"]))
    begun = time.monotonic()
    result = ended(resource.begin("stop", 6.0))
    assert time.monotonic() - begun < 10
    assert "connections left at the end of the timeout of stop: 1" in result.stderr
    assert on_lo(resource.host) == []
    session.close()


def test_an_idle_node_serves_until_the_director_has_noticed(
    world: World, resource: RealServer
) -> None:
    resource.parameters["drain_delay"] = "4s"
    vip = str(resource.parameters["vip"])
    begun = time.monotonic()
    running = resource.begin("stop", 60.0)
    # The director's next monitor has not run yet.
    for _ in range(3):
        time.sleep(0.5)
        session = world.client.connect(vip)
        assert session.alive
        session.close()
    assert running.alive
    ended(running)
    assert 4 <= time.monotonic() - begun < 20
    assert on_lo(resource.host) == []


def test_a_node_that_is_not_leaving_does_not_wait_for_the_director(
    resource: RealServer, tmp_path: Path
) -> None:
    """A node that stays in the cluster does not wait, e.g. when only its database has failed."""
    resource.parameters["drain_delay"] = "50s"
    steady = cib.write(tmp_path / "cib.xml", [cib.Node("node1"), cib.Node("node2")])
    begun = time.monotonic()
    ended(resource.begin("stop", 60.0, CIB_file=str(steady)))
    assert time.monotonic() - begun < 20
    assert on_lo(resource.host) == []


def test_other_connections_are_not_waited_for(world: World, resource: RealServer) -> None:
    """Connections to the node's own address, or to another virtual IP, do not delay stop."""
    node = world.node1
    other = RealServer(node, OTHER, "other")
    other.start()
    addresses = (node.address, node.address6)
    sessions = [world.client.connect(address) for address in addresses]
    with node.entered():
        sessions.append(node.connect(OTHER))
    assert "wait" not in resource.stop().stderr
    assert all(session.alive for session in sessions)
    other.stop()


def test_killed_while_it_waits(world: World, resource: RealServer) -> None:
    session = world.client.connect(str(resource.parameters["vip"]))
    running = resource.begin("stop", 90.0)
    time.sleep(2)
    assert running.alive
    running.kill()
    running.wait()
    assert session.alive
    assert resource.monitor().exit_code == 0
    session.close()
    resource.stop()
    assert resource.probe().exit_code == 7
