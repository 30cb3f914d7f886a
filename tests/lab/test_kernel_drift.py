"""Changes of the IPVS table by others: our service is repaired, other services are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.host import Host
from tests.lab.resource import (
    ALL,
    DEGRADED,
    EVEN,
    LISTED,
    NEIGHBOURS,
    OK,
    SERVICE,
    WITHOUT_NODE3,
    Resource,
    other_lines,
)
from tests.lab.world import World


@pytest.fixture
def lvs(world: World, tmp_path: Path) -> Iterator[Resource]:
    """Yield the documented configuration, started beside other services.

    Asserts afterwards that the other services are unchanged.
    """
    world.director1.restore_ipvs(NEIGHBOURS)
    before = other_lines(world.director1.ipvs_text(), SERVICE)
    resource = Resource(world.director1, tmp_path)
    resource.start()
    yield resource
    assert other_lines(world.director1.ipvs_text(), SERVICE) == before


def by_hand(host: Host, line: str) -> None:
    """Change our service as an administrator might."""
    host.restore_ipvs(line.replace("SERVICE", SERVICE) + "\n")


def is_repaired(resource: Resource) -> bool:
    return resource.pool() == EVEN and resource.header == f"-A {SERVICE} -s rr"


DRIFTS = {
    "weight lowered": "-e SERVICE -r 10.77.0.21:5432 -g -w 0",
    "weight raised": "-e SERVICE -r 10.77.0.21:5432 -g -w 9",
    "other forwarding": "-e SERVICE -r 10.77.0.21:5432 -i -w 1",
    "real server deleted": "-d SERVICE -r 10.77.0.22:5432",
    "scheduler changed": "-E SERVICE -s wlc",
    "made persistent": "-E SERVICE -s rr -p 600 -M 255.255.0.0",
}


@pytest.mark.parametrize("line", DRIFTS.values(), ids=DRIFTS)
def test_drift_is_repaired(lvs: Resource, line: str) -> None:
    before = lvs.host.ipvs_text()
    by_hand(lvs.host, line)
    assert lvs.host.ipvs_text() != before
    assert lvs.monitor().exit_code == OK
    assert sorted(lvs.host.ipvs_text().splitlines()) == sorted(before.splitlines())


def test_repairs_keep_sessions(world: World, lvs: Resource) -> None:
    sessions = [world.client.connect() for _ in range(3)]
    by_hand(lvs.host, "-e SERVICE -r 10.77.0.21:5432 -g -w 0")
    by_hand(lvs.host, "-a SERVICE -r 10.77.0.12:5432 -g -w 1")
    by_hand(lvs.host, "-E SERVICE -s sed")
    assert lvs.monitor().exit_code == OK
    assert {session.host for session in sessions} == set(EVEN)
    assert all(session.alive for session in sessions)


def test_a_stranger_among_our_real_servers_is_drained(world: World, lvs: Resource) -> None:
    lvs.parameters = {**LISTED, "weight_of_realservers": "node1,1 node2,1"}
    assert lvs.monitor().exit_code == OK
    by_hand(lvs.host, "-e SERVICE -r 10.77.0.23:5432 -g -w 100")
    session = {session.host: session for session in (world.client.connect() for _ in EVEN)}["node3"]
    for _ in range(2):
        assert lvs.monitor().exit_code == OK
        assert lvs.pool() == {**EVEN, "node3": 0}
        assert session.alive
    session.close()
    world.director1.await_rest(world.node3)
    assert lvs.monitor().exit_code == OK
    assert lvs.pool() == {"node1": 1, "node2": 1}


BROADCAST = "10.77.0.255"  # the broadcast address of the lab's network
REFUSED = "10.88.0.9"


@pytest.fixture
def refused(world: World) -> Iterator[str]:
    """Yield an address that the kernel refuses as a real server; only its routes reveal that."""
    world.director1.ip([f"route add broadcast {REFUSED} dev eth0 table local"])
    yield REFUSED
    world.director1.ip([f"route del broadcast {REFUSED} dev eth0 table local"])


def test_a_broadcast_address_is_named(lvs: Resource) -> None:
    lvs.parameters = {**LISTED, "weight_of_realservers": f"node1,1 {BROADCAST} node2,5"}
    result = lvs.monitor()
    assert result.exit_code == DEGRADED, result
    assert f"{BROADCAST} left out: no address: {BROADCAST} is a broadcast address" in result.reason
    assert {name: lvs.pool()[name] for name in ("node1", "node2")} == {"node1": 1, "node2": 5}


def test_one_that_the_kernel_refuses_does_not_stop_the_others(
    world: World, lvs: Resource, refused: str
) -> None:
    session = world.client.connect()
    lvs.parameters = {**LISTED, "weight_of_realservers": f"node1,1 {refused} node2,5"}
    for result, code in (
        (lvs.monitor(), DEGRADED),
        (lvs.run("reload-agent"), OK),
        (lvs.run("start"), OK),
    ):
        assert result.exit_code == code, result
        assert f"real server {refused} added" not in result.stderr
        assert {name: lvs.pool()[name] for name in ("node1", "node2")} == {"node1": 1, "node2": 5}
        seen = lvs.monitor()
        assert seen.exit_code == DEGRADED, seen
        assert f"left undone: -a {SERVICE} -r {refused}:5432 -g -w 1" in seen.reason
    assert session.alive


def test_start_fails_where_the_kernel_refuses_everybody(
    world: World, tmp_path: Path, refused: str
) -> None:
    alone = {**LISTED, "weight_of_realservers": refused}
    resource = Resource(world.director1, tmp_path, alone)
    result = resource.run("start")
    assert result.exit_code == 1
    assert f"-r {refused}:5432" in result.reason
    resource.stop()


def test_a_service_deleted_by_hand_is_reported_as_stopped(lvs: Resource) -> None:
    """Pacemaker decides about the missing service, because it has the constraints."""
    by_hand(lvs.host, "-D SERVICE")
    assert lvs.monitor().exit_code == 7
    assert lvs.host.ipvs_text().count(SERVICE) == 0
    lvs.start()
    assert is_repaired(lvs)


def test_neighbours_are_untouched_through_everything(lvs: Resource) -> None:
    """The other services stay unchanged, to the letter, after each step."""
    neighbours = other_lines(lvs.host.ipvs_text(), SERVICE)

    def untouched() -> bool:
        return other_lines(lvs.host.ipvs_text(), SERVICE) == neighbours

    assert untouched()
    lvs.cluster(*WITHOUT_NODE3)
    for _ in range(2):
        assert lvs.monitor().exit_code == OK
        assert untouched()
    lvs.reload(virtual_service_options="-s sh -b sh-port -p 20 -M 255.255.255.0")
    assert untouched()
    lvs.cluster(ALL[0].dead(), *ALL[1:])
    lvs.reload(virtual_service_options="-s rr", forwarding_method="ipip")
    assert lvs.pool() == {"node2": 1, "node3": 1}
    assert untouched()
    lvs.stop()
    assert sorted(line.strip() for line in lvs.host.ipvs_text().splitlines()) == neighbours
