"""Several addresses on one interface: removing one leaves the others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.host import Host
from tests.lab.vip_agent import IP, IP6, IPADDR2, OK, Address, addresses, tidy
from tests.lab.world import World

PROMOTE = "net/ipv4/conf/{}/promote_secondaries"
IP2, IP62 = "10.77.0.111", "fd77::111"


@pytest.fixture
def director(world: World) -> Iterator[Host]:
    with tidy(world):
        yield world.director1


@pytest.fixture
def bare(director: Host) -> Host:
    """Return a director with an interface x0 that has no address of its own."""
    lines = "link add x0 type veth peer name x1\nlink set x1 up\nlink set x0 up\n"
    director.run(["ip", "-batch", "-"], stdin=lines)
    director.sysctl(PROMOTE.format("x0"), 0)
    return director


def ipaddr2(host: Host, ip: str, nic: str = "eth0") -> Address:
    """Return a resource of IPaddr2.

    Its prefix is given, because the agent would need an awk that Debian does not have to find it.
    """
    length = 64 if ":" in ip else 24
    return Address(host, ip, "other", IPADDR2, nic=nic, cidr_netmask=length)


@pytest.mark.parametrize("we_are_first", [True, False])
@pytest.mark.parametrize(("ours", "theirs"), [(IP, IP2), (IP6, IP62)])
def test_beside_ipaddr2(director: Host, ours: str, theirs: str, we_are_first: bool) -> None:
    our, their = Address(director, ours), ipaddr2(director, theirs)
    own = addresses(director, "eth0")
    first, second = (our, their) if we_are_first else (their, our)
    first.start()
    second.start()
    assert (our.monitor().exit_code, their.monitor().exit_code) == (OK, OK)
    first.stop()
    assert second.monitor().exit_code == OK
    second.stop()
    assert addresses(director, "eth0") == own


def test_ipaddr2_goes_first_and_had_the_primary_address(bare: Host) -> None:
    """The kernel would delete all other addresses of the network with the primary one."""
    our = Address(bare, "10.78.0.10", nic="x0", cidr_netmask=24)
    their = ipaddr2(bare, "10.78.0.11", "x0")
    their.start()
    our.start()
    their.stop()
    assert our.monitor().exit_code == OK
    our.stop()
    assert addresses(bare, "x0") == [] or all(a["family"] == "inet6" for a in addresses(bare, "x0"))
    assert bare.sysctl(PROMOTE.format("x0")) == "0"


def test_ours_goes_first_and_had_the_primary_address(bare: Host) -> None:
    our = Address(bare, "10.78.0.10", nic="x0", cidr_netmask=24)
    their = ipaddr2(bare, "10.78.0.11", "x0")
    our.start()
    their.start()
    our.stop()
    assert their.monitor().exit_code == OK
    their.stop()


def test_several_of_ours(bare: Host) -> None:
    all_of_them = [
        Address(bare, f"10.78.0.1{n}", f"ip{n}", nic="x0", cidr_netmask=24) for n in (0, 1, 2)
    ]
    for address in all_of_them:
        address.start()
    for gone in range(3):
        all_of_them[gone].stop()
        for address in all_of_them[gone + 1 :]:
            assert address.monitor().exit_code == OK, address.ip
        expected = "1" if gone < 2 else "0"
        assert bare.sysctl(PROMOTE.format("x0")) == expected, "until the last is gone"


def test_a_change_of_the_primary_address_leaves_the_others(bare: Host) -> None:
    one = Address(bare, "10.78.0.10", "one", nic="x0", cidr_netmask=24)
    two = Address(bare, "10.78.0.11", "two", nic="x0", cidr_netmask=24)
    one.start()
    two.start()
    one.reload(iflabel="read")
    assert (one.monitor().exit_code, two.monitor().exit_code) == (OK, OK)
    assert [entry["label"] for entry in one.entries("x0")] == ["x0:read"]
    routes = bare.run(["ip", "-4", "route", "show", "dev", "x0"]).stdout
    assert routes.count("10.78.0.0/24") == 1, routes
