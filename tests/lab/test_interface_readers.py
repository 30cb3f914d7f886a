"""pyroute2 and ip(8) show the same of kinds of links that few machines have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.host import Host
from tests.lab.vip_agent import tidy, wait_for_carrier
from tests.lab.world import World
from tests.support.interface_comparison import read_twice

MODULES = ("bonding", "8021q", "macvlan", "ipip", "ip_gre", "sit", "ip6_tunnel", "vxlan")

LINKS = (
    "link add bond0 type bond mode active-backup miimon 100",
    "link add x1 type veth peer name x2",
    "link set x2 up",
    "link set x1 master bond0",
    "link set bond0 up",
    "link property add dev bond0 altname service-network-of-the-site",
    "link add link bond0 name bond0.10 type vlan id 10",
    "link add link bond0 name bond0.20 type vlan id 20",
    "link set bond0.10 up",
    "address add 10.78.0.1/24 dev bond0.10",
    "address add 10.78.0.2/24 dev bond0.10 valid_lft 9000 preferred_lft 3000",
    "address add fd78::1/64 dev bond0.10 nodad preferred_lft 0",
    "address add fd78::2/64 dev bond0.20",
    "link add link bond0.10 name mac0 type macvlan mode bridge",
    "link add tun4 type ipip local 10.78.0.1 remote 10.78.0.9",
    "link add gre4 type gre local 10.78.0.1 remote 10.78.0.9",
    "link add sit4 type sit local 10.78.0.1 remote 10.78.0.9",
    "link add tun6 type ip6tnl local fd78::1 remote fd78::9",
    "link add vx0 type vxlan id 7 dstport 4789 dev bond0",
    "link set tun4 up",
    "address add 10.79.0.1 peer 10.79.0.2 dev tun4",
)


@pytest.fixture
def director(world: World) -> Iterator[Host]:
    with tidy(world):
        for module in MODULES:
            world.director1.run(["modprobe", module], check=False)  # built in, or loaded
        yield world.director1


def test_vlans_bonds_and_tunnels(director: Host) -> None:
    director.run(["ip", "-batch", "-"], stdin="".join(f"{line}\n" for line in LINKS))
    wait_for_carrier(director, "bond0.10", True)
    with director.entered():
        both = read_twice()
    wanted = {line.split("type")[0].split()[-1] for line in LINKS if line.startswith("link add")}
    wanted = {name for name in wanted if name != "x2"} | {"lo", "eth0", "x1", "x2"}
    assert wanted <= set(both)
    assert {name: read for name, (read, _) in both.items()} == {
        name: shown for name, (_, shown) in both.items()
    }
    kinds = {name: read.kind for name, (read, _) in both.items() if name in wanted}
    tunnels = {"tun4", "gre4", "sit4", "tun6"}
    assert {name for name, kind in kinds.items() if kind == "other"} == tunnels
    assert {name for name, kind in kinds.items() if kind == "loopback"} == {"lo"}
    assert both["bond0"][0].has_name("service-network-of-the-site")
    assert both["bond0.10"][0].carrier
