"""An address moves from one director to the other: the effects on clients, and their duration."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.lab.client import Session
from tests.lab.host import Host
from tests.lab.operation import agent_result
from tests.lab.resource import EVEN, LISTED, Resource
from tests.lab.vip_agent import IP, IP6, OK, Address, believed, kinds, mac, sniffing, tidy
from tests.lab.world import World, prepare_real_server
from tests.support.processes import Running

REACHABLE = "net/{}/neigh/eth0/base_reachable_time_ms"


@pytest.fixture
def hosts(world: World) -> Iterator[World]:
    """Yield real servers with the address on lo, and a client that keeps its neighbour entries."""
    with tidy(world):
        for node in world.nodes:
            prepare_real_server(node, IP, IP6)
        for family in ("ipv4", "ipv6"):
            world.client.sysctl(REACHABLE.format(family), 3600_000)
        world.client.run(["ip", "neigh", "flush", "all"])
        yield world
        for family in ("ipv4", "ipv6"):
            world.client.sysctl(REACHABLE.format(family), 30_000)


def balanced(host: Host, directory: Path, ip: str) -> Resource:
    """Start the service of the address on a director."""
    service = Resource(host, directory, {**LISTED, "vip": ip}, instance=f"lvs-{host.name}")
    service.start()
    assert service.pool() == EVEN
    return service


def first_connection(client: Host, ip: str, starting: Running) -> tuple[Session, bool]:
    """Return the first connection that succeeds, and whether start was still running then."""
    limit = time.monotonic() + 60.0
    while time.monotonic() < limit:
        with suppress(OSError, EOFError):
            return client.connect(ip, timeout=0.2), starting.alive
        time.sleep(0.02)
    raise AssertionError(f"no connection to {ip} in a minute")


@pytest.mark.parametrize("ip", [IP, IP6])
def test_the_other_director_takes_over(hosts: World, tmp_path: Path, ip: str) -> None:
    client = hosts.client
    first, second = (Address(host, ip) for host in (hosts.director1, hosts.director2))
    for address in (first, second):
        balanced(address.host, tmp_path, ip)
    first.start()
    assert client.spread(6, ip) == {"node1": 2, "node2": 2, "node3": 2}
    assert believed(client, ip) == mac(first.host)

    for old, new in ((first, second), (second, first)):
        old.stop()
        assert believed(client, ip) == mac(old.host), "no host has announced another MAC"
        began = time.monotonic()
        starting = new.begin("start")
        session, before_its_end = first_connection(client, ip, starting)
        took = time.monotonic() - began
        result = agent_result(starting.wait())
        whole = time.monotonic() - began
        assert result.exit_code == OK, result
        print(
            f"\n  {ip} moved to {new.host.name}: first new connection {took:.2f} s after start "
            f"began{', which still ran' if before_its_end else ''}; start took {whole:.2f} s"
        )
        assert believed(client, ip) == mac(new.host)
        assert session.alive
        assert client.spread(3, ip) == EVEN
        assert (old.probe().exit_code, new.monitor().exit_code) == (7, OK)


@pytest.mark.parametrize("ip", [IP, IP6])
def test_announcements(hosts: World, ip: str) -> None:
    """The first announcement precedes the end of start. The others follow at their interval."""
    address = Address(hosts.director1, ip, arp_count=3, arp_interval=1500)
    one = len(kinds(ip, 1))
    with sniffing(hosts.client) as sniffer:
        address.start()
        assert sniffer.announcements(ip) == kinds(ip, 1)
        assert sniffer.wait_for(ip, 3 * one) == kinds(ip, 3)
        time.sleep(1.7)
        assert sniffer.announcements(ip) == kinds(ip, 3)
        assert address.monitor().exit_code == OK
        assert sniffer.announcements(ip) == kinds(ip, 3)
        address.reload(arp_count_refresh=2, arp_interval=100)
        assert address.monitor().exit_code == OK
        assert sniffer.wait_for(ip, 5 * one) == kinds(ip, 5)


@pytest.mark.parametrize("ip", [IP, IP6])
def test_a_stopped_agent_sends_no_announcements(hosts: World, ip: str) -> None:
    address = Address(hosts.director1, ip, arp_count=100, arp_interval=50)
    with sniffing(hosts.client) as sniffer:
        address.start()
        assert len(sniffer.wait_for(ip, 8)) >= 8
        address.stop()
        said = len(sniffer.announcements(ip))
        time.sleep(1.0)
        assert len(sniffer.announcements(ip)) == said
    assert not list(hosts.director1.rsctmp.glob("*.state"))


@pytest.mark.parametrize("ip", [IP, IP6])
def test_one_whose_memory_is_lost_is_not_wanted_any_more(hosts: World, ip: str) -> None:
    address = Address(hosts.director1, ip, arp_count=100, arp_interval=200)
    with sniffing(hosts.client) as sniffer:
        address.start()
        for path in hosts.director1.rsctmp.glob("*.state"):
            path.unlink()
        time.sleep(0.5)
        said = len(sniffer.announcements(ip))
        time.sleep(1.0)
        assert len(sniffer.announcements(ip)) == said
    assert address.probe().exit_code == OK
    assert address.monitor().exit_code == OK
    address.stop()
    assert address.entries() == []


@pytest.mark.parametrize("ip", [IP, IP6])
def test_the_director_is_a_real_server(hosts: World, tmp_path: Path, ip: str) -> None:
    """The address on lo stays there, independent of the address on eth0."""
    director = hosts.director1
    prepare_real_server(director, IP, IP6)
    hosts.servers.listen(director.name)
    address = Address(director, ip)
    on_lo = address.entries("lo")
    assert len(on_lo) == 1
    assert address.probe().exit_code == 7
    address.stop()
    assert address.entries("lo") == on_lo

    members = {**LISTED, "vip": ip, "weight_of_realservers": "director1 node1 node2"}
    Resource(director, tmp_path, members).start()
    address.start()
    assert (address.probe().exit_code, address.monitor().exit_code) == (OK, OK)
    assert address.entries("lo") == on_lo
    assert hosts.client.spread(6, ip) == {"director1": 2, "node1": 2, "node2": 2}
    assert believed(hosts.client, ip) == mac(director)
    address.stop()
    assert address.entries() == []
    assert address.entries("lo") == on_lo
    assert address.probe().exit_code == 7
