"""IPv6, UDP and persistence, for which the kernel works differently."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.host import VIP, VIP6, Host
from tests.lab.resource import ALL, EVEN, OK, STANDBYS, WITHOUT_NODE3, Resource, weights
from tests.lab.world import World

EVENLY = {"node1": 4, "node2": 4, "node3": 4}


def started(world: World, directory: Path, **parameters: object) -> Resource:
    resource = Resource(world.director1, directory, {**STANDBYS, **parameters})
    resource.start()
    assert resource.pool() == EVEN
    return resource


def datagrams(client: Host, address: str, count: int) -> Counter[str]:
    """Count this number of datagrams, each from a new port, by real server."""
    return Counter(client.udp_ask(address) for _ in range(count))


# --- IPv6


def test_ipv6_from_end_to_end(world: World, tmp_path: Path) -> None:
    resource = started(world, tmp_path, vip=VIP6)
    assert world.client.spread(12, VIP6) == EVENLY
    sessions = {s.host: s for s in (world.client.connect(VIP6) for _ in range(3))}
    assert sorted(sessions) == sorted(EVEN)

    resource.cluster(ALL[0].dead(), ALL[1], ALL[2]._replace(status="HS:alone"))
    for _ in range(2):
        assert resource.monitor().exit_code == OK
        assert resource.pool() == {"node2": 1, "node3": 0}
    states = {host: session.state() for host, session in sessions.items()}
    assert states == {"node1": State.RESET, "node2": State.ALIVE, "node3": State.ALIVE}
    assert world.client.spread(3, VIP6) == {"node2": 3}

    sessions["node3"].close()
    resource.host.await_rest(world.node3)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {"node2": 1}
    resource.cluster(*ALL)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == EVEN
    assert sessions["node2"].alive
    resource.stop()
    assert resource.host.ipvs_text() == ""


def test_both_families_side_by_side(world: World, tmp_path: Path) -> None:
    """Names have addresses of both families; each service uses those of its own family."""
    four = started(world, tmp_path)
    six = Resource(world.director1, tmp_path, {**STANDBYS, "vip": "FD77:0:0::100"}, "six")
    six.start()
    table = world.director1.ipvs_text()
    assert weights(table, f"-t {VIP}:5432") == EVEN
    assert weights(table, f"-t [{VIP6}]:5432") == EVEN
    assert table.count("-r [fd77::2") == 3
    four.stop()
    assert world.client.spread(6, VIP6) == {"node1": 2, "node2": 2, "node3": 2}


# --- UDP


@pytest.fixture
def short_timeouts(world: World) -> Iterator[None]:
    """Let the kernel forget a UDP connection after two seconds: it never sees its end."""
    world.director1.run(["ipvsadm", "--set", "0", "0", "2"])
    yield
    world.director1.run(["ipvsadm", "--set", "0", "0", "300"])


@pytest.mark.usefixtures("short_timeouts")
def test_udp(world: World, tmp_path: Path) -> None:
    resource = started(world, tmp_path, protocol="udp")
    assert datagrams(world.client, VIP, 12) == EVENLY
    resource.cluster(*WITHOUT_NODE3)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {**EVEN, "node3": 0}
    assert datagrams(world.client, VIP, 6) == {"node1": 3, "node2": 3}
    for _ in range(10):
        time.sleep(1)
        assert resource.monitor().exit_code == OK
        if "node3" not in resource.pool():
            break
    assert resource.pool() == {"node1": 1, "node2": 1}


def test_udp_that_may_be_in_use_is_drained(world: World, tmp_path: Path) -> None:
    """The kernel counts UDP connections in use as inactive, so a real server with any waits."""
    resource = started(world, tmp_path, protocol="udp")
    assert datagrams(world.client, VIP, 3) == EVEN
    resource.cluster(*WITHOUT_NODE3)
    for _ in range(3):
        assert resource.monitor().exit_code == OK
        assert resource.pool() == {**EVEN, "node3": 0}
    resource.reload(drain_timeout="1s")
    time.sleep(1)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {"node1": 1, "node2": 1}


def test_ipv6_udp_one_packet_at_a_time(world: World, tmp_path: Path) -> None:
    options = "-s rr --ops"
    resource = started(world, tmp_path, vip=VIP6, protocol="udp", virtual_service_options=options)
    assert resource.header.endswith("-s rr -o")
    assert datagrams(world.client, VIP6, 12) == EVENLY
    resource.host.restore_ipvs(f"-E {resource.service} -s rr\n")
    assert resource.monitor().exit_code == OK
    assert resource.header.endswith("-s rr -o"), "/proc does not show that it was lost"
    resource.cluster(*WITHOUT_NODE3)
    for pool in ({**EVEN, "node3": 0}, {"node1": 1, "node2": 1}):
        assert resource.monitor().exit_code == OK
        assert resource.pool() == pool
        assert datagrams(world.client, VIP6, 6) == {"node1": 3, "node2": 3}


# --- persistence


def test_persistence(world: World, tmp_path: Path) -> None:
    resource = started(world, tmp_path, virtual_service_options="-s rr -p 600")
    session = world.client.connect()
    stuck = session.host
    assert world.client.spread(5) == {stuck: 5}

    nodes = [n._replace(status="HS:alone") if n.name == stuck else n for n in ALL]
    resource.cluster(*nodes)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {**EVEN, stuck: 0}
    assert session.alive
    fresh = world.client.spread(5)
    assert len(fresh) == 1
    assert stuck not in fresh

    session.close()
    resource.host.await_rest(world.hosts[stuck])
    assert resource.monitor().exit_code == OK
    assert resource.pool() == {host: 1 for host in EVEN if host != stuck}
    resource.cluster(*ALL)
    assert resource.monitor().exit_code == OK
    assert resource.pool() == EVEN
    assert world.client.spread(2) == dict.fromkeys(fresh, 2), "the template is a new one"
    resource.stop()
    assert world.director1.sysctl("net/ipv4/vs/expire_quiescent_template") == "0"
