"""Tests of the lab itself: packets go where IPVS sends them, and nowhere else."""

from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path

import pytest

from tests.lab.client import State
from tests.lab.host import VIP, VIP6, Host
from tests.lab.world import World
from tests.support.namespaces import sysctl
from tests.support.processes import CommandFailed

EVENLY = {"node1": 10, "node2": 10, "node3": 10}
AGENT = """#!/bin/sh
echo "$1 $OCF_RESKEY_vip $OCF_RESKEY_CRM_meta_timeout $OCF_CHECK_LEVEL $CIB_file"
cat /proc/net/ip_vs
echo ocf-exit-reason:no such thing >&2
exit 5
"""


def balance(director: Host, nodes: tuple[Host, ...], service: str = f"-t {VIP}:5432") -> None:
    """Set up by hand the service that the agent would set up."""
    addresses = [f"[{node.address6}]" if "[" in service else node.address for node in nodes]
    lines = [f"-A {service} -s rr\n", *(f"-a {service} -r {at}:5432 -g\n" for at in addresses)]
    director.restore_ipvs("".join(lines))


def test_tcp_is_spread_evenly(world: World) -> None:
    balance(world.director1, world.nodes)
    assert world.client.spread(30) == EVENLY
    assert "10.77.0.21:5432 -g -w 1" in world.director1.ipvs_text()
    assert world.director1.proc_ipvs().count("Route   1      0          10") == 3


def test_tcp_over_ipv6_is_spread_evenly(world: World) -> None:
    balance(world.director1, world.nodes, f"-t [{VIP6}]:5432")
    assert world.client.spread(30, VIP6) == EVENLY


@pytest.mark.parametrize(("vip", "service"), [(VIP, f"-u {VIP}:5432"), (VIP6, f"-u [{VIP6}]:5432")])
def test_udp_is_spread_evenly(world: World, vip: str, service: str) -> None:
    balance(world.director1, world.nodes, service)
    assert Counter(world.client.udp_ask(vip) for _ in range(30)) == EVENLY


def test_a_session_stays_where_it_landed(world: World) -> None:
    balance(world.director1, world.nodes)
    sessions = [world.client.connect() for _ in range(3)]
    assert {session.host for session in sessions} == set(EVENLY)
    world.director1.restore_ipvs(f"-e -t {VIP}:5432 -r {world.node1.address}:5432 -g -w 0\n")
    assert [session.echo("hello") for session in sessions] == ["hello"] * 3
    assert world.client.spread(4) == {"node2": 2, "node3": 2}


def test_a_session_is_reset_with_its_real_server(world: World) -> None:
    world.director1.sysctl("net/ipv4/vs/expire_nodest_conn", 1)
    balance(world.director1, world.nodes)
    sessions = {session.host: session for session in (world.client.connect() for _ in range(3))}
    world.director1.restore_ipvs(f"-d -t {VIP}:5432 -r {world.node1.address}:5432\n")
    states = {host: session.state() for host, session in sessions.items()}
    assert states == {"node1": State.RESET, "node2": State.ALIVE, "node3": State.ALIVE}


def test_a_dead_service_ends_its_sessions(world: World) -> None:
    balance(world.director1, (world.node2,))
    session = world.client.connect()
    world.servers.hang_up("node2")
    assert session.state() in (State.ENDED, State.RESET)
    with pytest.raises(ConnectionRefusedError):
        world.client.connect()


def test_a_pool_that_is_empty_refuses(world: World) -> None:
    balance(world.director1, ())
    with pytest.raises((TimeoutError, ConnectionRefusedError)):
        world.client.connect(timeout=1)


def test_the_other_director_takes_over_the_address(world: World) -> None:
    balance(world.director2, world.nodes)
    world.move_vip(world.director2)
    try:
        assert world.client.spread(3) == {"node1": 1, "node2": 1, "node3": 1}
    finally:
        world.move_vip(world.director1)


def test_names_resolve_to_both_families(world: World) -> None:
    found = {info[4][0] for info in socket.getaddrinfo("node2", 5432, type=socket.SOCK_STREAM)}
    assert found == set(world.node2.addresses)


def test_processes_belong_to_their_host(world: World) -> None:
    shown = world.node1.run(["ip", "-br", "-4", "addr", "show", "dev", "eth0"]).stdout
    assert world.node1.address in shown
    with pytest.raises(CommandFailed, match="still ran"):
        world.node1.run(["sleep", "100"], timeout=0.5)


def test_an_agent_is_called_as_pacemaker_calls_it(world: World, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    agent.write_text(AGENT)
    agent.chmod(0o755)
    balance(world.director2, world.nodes)
    result = world.director2.agent(
        "monitor", {"vip": VIP}, cib="/x.xml", agent=agent, timeout=20, OCF_CHECK_LEVEL="10"
    )
    assert (result.exit_code, result.reason) == (5, "no such thing")
    assert result.stdout.startswith(f"monitor {VIP} 20000 10 /x.xml\n")
    assert "0A4D0064:1538 rr" in result.stdout


# The modules of tunnels, some of which other tests load, add one to each namespace.
OF_KERNEL = {"lo", "sit0", "tunl0", "ip6tnl0", "gre0", "gretap0", "erspan0"}


def test_nothing_shows_outside(world: World) -> None:
    balance(world.director1, world.nodes)
    interfaces = {name for _, name in socket.if_nameindex()}
    assert interfaces <= OF_KERNEL
    assert VIP not in Path("/proc/thread-self/net/fib_trie").read_text()
    assert len(Path("/proc/thread-self/net/ip_vs").read_text().splitlines()) == 3
    assert world.director2.ipvs_text() == ""
    assert sysctl("net/ipv4/conf/all/arp_ignore") == "0"
