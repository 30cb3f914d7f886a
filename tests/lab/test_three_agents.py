"""Director and real servers as the three agents make them, on hosts without other preparation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.lab.client import Session, State
from tests.lab.client_view import (
    ACCEPT_DAD,
    Capture,
    NeighbourPacket,
    Traffic,
    asked,
    claims,
    hardware_address,
    try_connection,
    unprepared_hosts,
    wait_for_connection,
)
from tests.lab.forked_agent import ForkedResource
from tests.lab.host import HEADING, Host
from tests.lab.operation import agent_result
from tests.lab.realsvr_agent import RealServer, asking, on_lo
from tests.lab.resource import OK, Resource
from tests.lab.vip_agent import IP, IP6, Address, believed
from tests.lab.world import World
from tests.support import cib

NODES = ("node1", "node2", "node3")
HOSTS = ("director1", "director2", *NODES)


class Site:
    """One virtual IP, the host that must own it, and the client's view of it."""

    def __init__(self, world: World, ip: str, capture: Capture) -> None:
        self.world, self.ip, self.client = world, ip, world.client
        self.owner = world.director1
        self._capture, self._before = capture, capture.heard()
        print(f"\n  {ip}")

    @property
    def following(self) -> Mapping[str, object]:
        """Return the parameters of a director with a pool that follows lvsdr-realsvr."""
        return {
            "vip": self.ip,
            "port": 5432,
            "realserver_dependent_resource": "lvsdr-realsvr-clone",
        }

    def real_servers(self, *hosts: Host) -> dict[str, RealServer]:
        return {host.name: RealServer(host, self.ip) for host in hosts}

    def anew(self, what: str, traffic: Traffic, connections: int = 6) -> Counter[str]:
        """Count new connections by real server, after the client had to resolve the VIP again."""
        self.client.ip(["neigh flush all"])
        served = traffic.fresh(connections)
        self.phase(what, served)
        return served

    def begin(self) -> None:
        """Begin a phase: earlier packets do not count."""
        self._before = self._capture.heard()

    def phase(self, what: str, served: Mapping[str, int]) -> Counter[NeighbourPacket]:
        """End a phase.

        Assert that the client learnt the owner's MAC and that only the owner claimed.
        """
        mac = hardware_address(self.owner).hex(":")
        assert believed(self.client, self.ip) == mac
        now = self._capture.heard()
        new, self._before = now - self._before, now
        print(f"  {what}: {mac} believed; asked {asked(new)} times, claimed by {claims(new)}")
        print(f"    served by {dict(sorted(served.items()))}")
        assert claims(new).keys() == {self.owner.name}
        return new

    def claimants(self, what: str, questions: int = 30) -> set[str]:
        """Return the hosts that claim the address during this number of questions."""
        heard = self._capture.during(questions)
        print(f"  {what}: asked {asked(heard)} times, claimed by {claims(heard)}")
        return set(claims(heard))


@pytest.fixture(params=[IP, IP6])
def site(request: pytest.FixtureRequest, world: World) -> Iterator[Site]:
    ip = request.param
    with unprepared_hosts(world), closing(Capture(world, ip, world.client)) as capture:
        yield Site(world, ip, capture)


def tell(service: Resource, *running: str, standby: str = "") -> None:
    """Let the director see lvsdr-realsvr running on these nodes, with `standby` on standby."""
    sketch(service, *running, standby=standby)
    result = service.monitor()
    assert result.exit_code == OK, result


def sketch(service: Resource, *running: str, standby: str = "") -> None:
    service.cluster(
        *(cib.Node(name, realsvr=name in running, standby=name == standby) for name in HOSTS)
    )


def even(*names: str, of: int = 6) -> dict[str, int]:
    """Return an equal share of `of` connections for each of these real servers."""
    return dict.fromkeys(names, of // len(names))


def test_only_the_director_answers(site: Site, tmp_path: Path) -> None:
    """Only the director answers, in any order of the agents' starts and stops."""
    address = Address(site.owner, site.ip)
    servers = site.real_servers(*site.world.nodes)
    service = ForkedResource(site.owner, tmp_path, site.following)
    with service, asking(site.client, site.ip):
        address.start()
        assert try_connection(site.client, site.ip) == []
        site.phase("vip alone", {})
        servers["node1"].start()
        sketch(service, "node1")
        service.start()
        with Traffic(site.client, site.ip) as traffic:
            assert site.anew("first start", traffic) == {"node1": 6}
            others_start(site, servers, service, traffic)
            all_restart(site, servers, traffic)
            tell(service, *NODES, standby="node3")
            servers["node3"].stop()
            assert site.anew("stop on node3, standby", traffic) == even("node1", "node2")
        print(f"  served by {traffic.served} in all, the slowest in {traffic.slowest:.2f} s")
        assert traffic.failed == []
        vip_restarts(site, address, "node1", "node2")
        for name in ("node1", "node2"):
            servers[name].stop()
        site.client.ip(["neigh flush all"])
        assert try_connection(site.client, site.ip) == []
        site.phase("the last stops", {})
        # Show that the capture would have noticed a real server that answers:
        site.world.node1.ip([f"address add {site.ip} dev eth0"])
        assert site.claimants("a real server that answers") == {site.owner.name, "node1"}


def vip_restarts(site: Site, address: Address, *pool: str) -> None:
    """Restart vip: without it no host answers, and it may be the last agent to start."""
    before = on_lo(address.host)
    address.stop()
    assert (address.entries(), on_lo(address.host)) == ([], before)
    site.client.ip(["neigh flush all"])
    assert try_connection(site.client, site.ip) == []
    assert site.claimants("vip is stopped") == set()
    address.start()
    with Traffic(site.client, site.ip) as traffic:
        assert site.anew("vip starts last", traffic, 12) == even(*pool, of=12)
    assert traffic.failed == []


def others_start(
    site: Site, servers: Mapping[str, RealServer], service: Resource, traffic: Traffic
) -> None:
    """Start one real server after the other. Each resolves the client's address at once."""
    for count, name in enumerate(NODES[1:], 2):
        servers[name].start()
        servers[name].host.ip(["neigh flush all"])
        tell(service, *NODES[:count])
        assert site.anew(f"start on {name}", traffic) == even(*NODES[:count])


def all_restart(site: Site, servers: Mapping[str, RealServer], traffic: Traffic) -> None:
    """Restart the real servers, as after a failed monitor, while the director keeps them.

    TCP retransmits while a real server is stopped.
    """
    for name, server in servers.items():
        server.stop()
        server.start()
        assert site.anew(f"restart on {name}", traffic) == even(*NODES)


def test_the_director_is_a_real_server(site: Site, tmp_path: Path) -> None:
    """The director has the address on eth0 and on lo, and no agent touches the other's."""
    director, pool = site.owner, ("director1", "node1", "node2")
    site.world.servers.listen(director.name)
    address = Address(director, site.ip)
    servers = site.real_servers(director, *site.world.nodes[:2])
    service = ForkedResource(director, tmp_path, site.following)
    with service, asking(site.client, site.ip):
        for server in servers.values():
            server.start()
        address.start()
        sketch(service, *pool)
        service.start()
        assert len(address.entries()) == len(on_lo(director)) == 1
        own_stops_and_starts(site, address, servers["director1"], service)
        session = next(one for one in opened(site, 3) if one.host == director.name)
        vip_restarts(site, address, *pool)
        assert servers["director1"].monitor().exit_code == OK
        assert session.alive


def own_stops_and_starts(site: Site, address: Address, own: RealServer, service: Resource) -> None:
    """Stop and start lvsdr-realsvr on the director. The cluster notices the stop later."""
    director, pool = site.owner, ("director1", "node1", "node2")
    on_eth0, before = address.entries(), on_lo(director)
    with Traffic(site.client, site.ip) as traffic:
        assert site.anew("both on one host", traffic, 12) == even(*pool, of=12)
        own.stop()
        assert (address.entries(), on_lo(director)) == (on_eth0, [])
        assert address.monitor().exit_code == OK
        assert site.anew("lvsdr-realsvr stopped", traffic, 12) == even(*pool, of=12)
        tell(service, *pool[1:])
        assert site.anew("the cluster knows", traffic, 12) == even(*pool[1:], of=12)
        own.start()
        assert (address.entries(), on_lo(director)) == (on_eth0, before)
        tell(service, *pool)
        assert site.anew("lvsdr-realsvr is back", traffic, 12) == even(*pool, of=12)
    assert traffic.failed == []


class Director(NamedTuple):
    """Both resources of a director, on one host."""

    address: Address
    service: Resource

    @property
    def host(self) -> Host:
        return self.address.host


def director_on(site: Site, host: Host, directory: Path, *pool: str) -> Director:
    """Return a director for a host, in a cluster where lvsdr-realsvr runs on these nodes."""
    host.sysctl(ACCEPT_DAD, 1)
    service = Resource(host, directory, site.following, f"lvs-{host.name}")
    sketch(service, *pool)
    return Director(Address(host, site.ip), service)


def test_the_whole_director_moves(site: Site, tmp_path: Path) -> None:
    """The director moves to its peer, then to a real server.

    The first host then becomes a real server.
    """
    world = site.world
    hosts = (world.director1, world.director2, world.node1)
    first, second, third = (director_on(site, host, tmp_path, *NODES) for host in hosts)
    for server in site.real_servers(*world.nodes).values():
        server.start()
    first.service.start()
    first.address.start()
    before = [on_lo(node) for node in world.nodes]
    assert site.client.spread(12, site.ip) == even(*NODES, of=12)
    site.phase("to begin with", even(*NODES, of=12))

    assert moved(site, first, second) == dict.fromkeys(NODES, State.RESET)
    left(first)
    assert moved(site, second, third) == {**dict.fromkeys(NODES, State.RESET), "node1": State.ALIVE}
    left(second)
    assert [on_lo(node) for node in world.nodes] == before

    world.servers.listen("director2")
    site.real_servers(world.director2)["director2"].start()
    tell(third.service, *NODES, "director2")
    assert len(on_lo(world.director2)) == 1
    with asking(site.client, site.ip), Traffic(site.client, site.ip) as traffic:
        everybody = even(*NODES, "director2", of=40)
        assert site.anew("the old director serves", traffic, 40) == everybody
    assert traffic.failed == []


def moved(site: Site, old: Director, new: Director) -> dict[str, State]:
    """Move the director as the cluster would. Return the state of each session, by real server."""
    sessions = opened(site, len(NODES))
    old.address.stop()
    site.begin()
    old.service.stop()
    began = time.monotonic()
    new.service.start()
    balanced = time.monotonic() - began
    starting = new.address.begin("start")
    session = wait_for_connection(site.client, site.ip)
    took = time.monotonic() - began
    assert agent_result(starting.wait()).exit_code == OK
    print(
        f"  moved to {new.host.name}: first new connection {took:.2f} s after the start of lvsdr, "
        f"which took {balanced:.2f} s; all started after {time.monotonic() - began:.2f} s"
    )
    assert session.alive
    site.owner = new.host
    assert site.client.spread(12, site.ip) == even(*NODES, of=12)
    heard = site.phase(f"moved to {new.host.name}", even(*NODES, of=12))
    assert asked(heard) == 0, "the announcement did not reach the client"
    return {session.host: session.state() for session in sessions}


def left(old: Director) -> None:
    """Assert that nothing of the director is left on its host."""
    assert len(old.host.proc_ipvs().splitlines()) == HEADING
    assert (old.address.entries(), on_lo(old.host)) == ([], [])


def opened(site: Site, count: int) -> list[Session]:
    """Open `count` sessions, each on a different real server."""
    sessions = [site.client.connect(site.ip) for _ in range(count)]
    assert len({session.host for session in sessions}) == count
    return sessions
