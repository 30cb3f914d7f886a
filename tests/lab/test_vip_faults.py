"""Faults of an address: a second owner, a pulled cable, an administrator's error."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.lab.host import Host
from tests.lab.vip_agent import (
    BAD_ARGUMENT,
    DEGRADED,
    FAILED,
    IP,
    IP6,
    NOT_RUNNING,
    OK,
    Address,
    Sniffer,
    addresses,
    has_address,
    mac,
    sniffing,
    tidy,
    wait_for_carrier,
)
from tests.lab.world import World
from tests.support.fabric import plug, pull

PROMOTE = "net/ipv4/conf/{}/promote_secondaries"


@pytest.fixture
def director(world: World) -> Iterator[Host]:
    with tidy(world):
        for name in ("all", "eth0"):
            world.director1.sysctl(f"net/ipv6/conf/{name}/accept_dad", 1)
        yield world.director1


def with_length(ip: str) -> str:
    return f"{ip}/{64 if ':' in ip else 24}"


def by_hand(host: Host, *lines: str) -> None:
    host.run(["ip", "-batch", "-"], stdin="".join(f"{line}\n" for line in lines))


# --- another host has the address


@pytest.mark.parametrize("ip", [IP, IP6])
def test_another_owner(world: World, director: Host, ip: str) -> None:
    other = world.client
    by_hand(other, f"address add {with_length(ip)} dev eth0")
    address = Address(director, ip)
    address.refused("start", FAILED, f"{ip} is in use by {mac(other)} on the segment of eth0")
    assert address.entries() == []
    assert address.probe().exit_code == NOT_RUNNING
    address.stop()

    address.parameters["duplicate_check"] = "false"
    address.start()
    assert address.monitor().exit_code == OK
    address.stop()
    del address.parameters["duplicate_check"]

    by_hand(other, f"address del {with_length(ip)} dev eth0")
    address.start()
    assert address.monitor().exit_code == OK


def test_nothing_is_left_of_a_start_that_was_refused(world: World, director: Host) -> None:
    by_hand(world.client, f"address add {IP}/24 dev eth0")
    with sniffing(world.client) as sniffer:
        Address(director).refused("start", FAILED, "is in use by")
        assert sniffer.announcements(IP) == []
        probes = [frame for frame in sniffer.frames() if frame[12:14] == b"\x08\x06"]
    assert director.sysctl(PROMOTE.format("eth0")) == "0"
    assert not list(director.rsctmp.glob("*.state"))
    assert probes[0][28:32] == bytes(4), "a probe claims nothing"


def test_real_servers_are_no_other_owners(world: World, director: Host) -> None:
    for node in world.nodes:
        node.ip([f"address replace {IP}/32 dev lo"])
    Address(director).start()


def test_the_address_is_on_another_interface(director: Host) -> None:
    by_hand(director, "link add x0 type veth peer name x1", f"address add {IP}/32 dev x0")
    Address(director).refused("start", FAILED, f"{IP} is on x0 of this node already")
    assert [entry["local"] for entry in addresses(director, "x0")] == [IP]


# --- the interface


@pytest.mark.parametrize("ip", [IP, IP6])
def test_the_cable_is_pulled(director: Host, ip: str) -> None:
    address = Address(director, ip)
    address.start()
    pull(director.name)
    address.refused("monitor", NOT_RUNNING, "no carrier on eth0")
    assert address.probe().exit_code == OK, "it is there, and has to be removed"
    address.parameters["check_link"] = "false"
    assert address.monitor().exit_code == OK
    del address.parameters["check_link"]
    address.stop()
    address.refused("start", FAILED, "no carrier on eth0")
    assert address.entries() == []
    plug(director.name)
    address.restart()


def test_a_start_that_does_not_care_for_the_cable(director: Host) -> None:
    pull(director.name)
    for ip in (IP, IP6):
        address = Address(director, ip, instance=f"ip{len(ip)}", check_link="no")
        address.start()
        assert address.monitor().exit_code == OK
        address.stop()


def test_an_interface_that_is_down(director: Host) -> None:
    by_hand(director, "link add x0 type veth peer name x1", "link set x1 up")
    address = Address(director, "10.78.0.10", nic="x0", cidr_netmask=24)
    address.start()
    assert address.monitor().exit_code == OK
    by_hand(director, "link set x0 down")
    address.refused("monitor", NOT_RUNNING, "no carrier on x0")
    address.restart()


@pytest.mark.parametrize("ip", ["10.78.0.10", "fd78::10"])
def test_the_interface_is_removed(director: Host, ip: str) -> None:
    by_hand(director, "link add x0 type veth peer name x1", "link set x1 up")
    length = 64 if ":" in ip else 24
    address = Address(director, ip, nic="x0", cidr_netmask=length)
    address.start()
    by_hand(director, "link del x0")
    assert address.probe().exit_code == NOT_RUNNING
    address.refused("monitor", NOT_RUNNING, "interface x0 is gone")
    address.stop()
    address.refused("start", BAD_ARGUMENT, "nic=x0: this node has no such interface")
    address.stop()
    by_hand(director, "link add x0 type veth peer name x1", "link set x1 up")
    address.restart()


def test_an_alternative_name(director: Host) -> None:
    by_hand(director, "link add x0 type veth peer name x1", "link set x1 up")
    by_hand(director, "link property add dev x0 altname enp0s31f6-service-network")
    address = Address(director, "10.78.0.10", nic="enp0s31f6-service-network", cidr_netmask=24)
    address.parameters["iflabel"] = "service"
    address.refused("start", 6, "a label at most 15")
    del address.parameters["iflabel"]
    address.start()
    assert [entry["label"] for entry in address.entries("x0")] == ["x0"]
    assert address.monitor().exit_code == OK
    by_hand(director, "link set x1 down")
    address.refused("monitor", NOT_RUNNING, "no carrier on x0")
    address.stop()
    assert address.entries("x0") == []


def test_vlans_on_a_bond(director: Host) -> None:
    by_hand(
        director,
        "link add bond0 type bond mode active-backup miimon 100",
        "link add x1 type veth peer name x2",
        "link set x2 up",
        "link set x1 master bond0",
        "link set bond0 up",
        "link add link bond0 name bond0.10 type vlan id 10",
        "link add link bond0 name bond0.20 type vlan id 20",
        "link set bond0.10 up",
        "link set bond0.20 up",
        "address add 10.78.0.1/24 dev bond0.10",
        "address add 10.78.1.1/24 dev bond0.20",
        "address add fd78:1::1/64 dev bond0.20 nodad",
    )
    wait_for_carrier(director, "bond0.20", True)
    for number, ip in enumerate(("10.78.1.10", "fd78:1::10")):
        address = Address(director, ip, instance=f"ip{number}")
        address.start()
        assert len(address.entries("bond0.20")) == 1
        assert address.monitor().exit_code == OK
    by_hand(director, "link set x2 down")
    wait_for_carrier(director, "bond0.20", False)
    address.refused("monitor", NOT_RUNNING, "no carrier on bond0.20")


@pytest.mark.parametrize("ip", ["10.79.0.10", "fd79::10"])
def test_no_network_has_room_for_it(director: Host, ip: str) -> None:
    address = Address(director, ip)
    address.refused("start", BAD_ARGUMENT, "no interface of this node is connected", "set nic")
    address.parameters["nic"] = "eth0"
    address.refused("start", BAD_ARGUMENT, "eth0 is not connected", "set cidr_netmask")
    address.parameters["cidr_netmask"] = 128 if ":" in ip else 32
    address.start()
    assert address.monitor().exit_code == OK
    address.stop()


def test_link_local(director: Host) -> None:
    address = Address(director, "fe80::77:110")
    address.refused("start", 6, "nic is required")
    address.parameters["nic"] = "eth0"
    address.start()
    assert address.monitor().exit_code == OK
    address.stop()
    assert address.entries() == []


# --- an administrator


@pytest.mark.parametrize("ip", [IP, IP6])
def test_removed_by_hand(director: Host, ip: str) -> None:
    address = Address(director, ip)
    address.start()
    by_hand(director, f"address del {with_length(ip)} dev eth0")
    address.refused("monitor", NOT_RUNNING, f"{ip} is not on eth0")
    address.restart()


@pytest.mark.parametrize("ip", [IP, IP6])
@pytest.mark.parametrize("remembered", [True, False])
def test_with_the_wrong_prefix_by_hand(director: Host, ip: str, remembered: bool) -> None:
    length, wrong = (64, 128) if ":" in ip else (24, 32)
    address = Address(director, ip)
    if remembered:
        address.start()
        by_hand(director, f"address del {ip}/{length} dev eth0")
    by_hand(director, f"address add {ip}/{wrong} dev eth0")
    address.refused("monitor", FAILED, f"prefix of {ip} on eth0 is {wrong}, not {length}")
    assert address.probe().exit_code == FAILED
    if remembered:
        address.restart()
    else:
        address.start()  # start adopts the address
        assert address.monitor().exit_code == OK
    assert address.prefixes == [length]
    address.stop()
    assert address.prefixes == []


def test_with_a_second_prefix_by_hand(director: Host) -> None:
    """A second prefix does no harm, but stop removes it too: the node must not keep answering."""
    address = Address(director)
    address.start()
    by_hand(director, f"address add {IP}/32 dev eth0")
    assert address.monitor().exit_code == OK
    address.stop()
    assert address.prefixes == []


def test_a_similar_address_is_left_alone(director: Host) -> None:
    """10.77.0.111 is not taken for 10.77.0.1, nor is the label eth0:10.77.0.1."""
    by_hand(director, "address add 10.77.0.111/24 dev eth0 label eth0:10.77.0.1")
    address = Address(director, "10.77.0.1", nic="eth0", cidr_netmask=24)
    assert address.probe().exit_code == NOT_RUNNING
    before = addresses(director, "eth0")
    address.stop()
    assert addresses(director, "eth0") == before


@pytest.mark.parametrize("ip", [IP, IP6])
def test_adopted(director: Host, ip: str) -> None:
    by_hand(director, f"address add {with_length(ip)} dev eth0 nodad")
    address = Address(director, ip)
    assert address.probe().exit_code == OK
    before = address.entries()
    address.start()
    assert address.entries() == before
    address.stop()
    assert address.entries() == []


def test_changes_in_place(director: Host) -> None:
    address = Address(director)
    address.start()
    wishes: list[dict[str, object]] = [
        {"iflabel": "read"},
        {"noprefixroute": "true"},
        {"preferred_lft": 0},
        {"iflabel": "none", "noprefixroute": "false", "preferred_lft": "forever"},
    ]
    for wish in wishes:
        address.parameters.update(wish)
        address.refused("monitor", DEGRADED, "its label is" if "iflabel" in wish else "it ")
        address.reload()
        assert address.monitor().exit_code == OK
        (entry,) = address.entries()
        print(f"\n  {wish}: {entry}")
    assert address.entries()[0]["label"] == "eth0"


def test_changes_in_place_of_ipv6(director: Host) -> None:
    address = Address(director, IP6, preferred_lft=0)
    address.start()
    assert address.entries()[0]["deprecated"] is True
    address.reload(preferred_lft="forever", noprefixroute="true")
    (entry,) = address.entries()
    assert "deprecated" not in entry
    assert entry["noprefixroute"] is True
    assert address.monitor().exit_code == OK
    address.stop()


def test_broken_parameters(director: Host) -> None:
    """A typing error in a parameter does not remove the address, but stop does."""
    address = Address(director)
    address.start()
    address.parameters["arp_count"] = "-1"
    address.refused("monitor", DEGRADED, "arp_count=-1: must be")
    address.parameters["ip"] = "10.77.0.300"
    address.refused("monitor", DEGRADED, "ip=10.77.0.300")
    assert address.probe().exit_code == OK
    address.stop()
    address.parameters["ip"] = IP
    assert address.entries() == []


def test_another_address_without_a_stop(director: Host) -> None:
    """The old address is removed if the parameter was changed while the cluster was down."""
    address = Address(director)
    address.start()
    address.parameters["ip"] = "10.77.0.111"
    assert address.probe().exit_code == FAILED
    address.refused("monitor", FAILED, f"{IP} is on eth0, but ip=10.77.0.111")
    address.stop()
    assert {entry["local"] for entry in addresses(director, "eth0")}.isdisjoint({IP, address.ip})


# --- kill -9


class Moment:
    """Points of an action that can be observed from outside."""

    def __init__(self, address: Address, sniffer: Sniffer) -> None:
        self.address, self.sniffer = address, sniffer

    def asked(self) -> bool:
        """Test whether an ARP probe for the address was sent."""
        return any(frame[12:14] == b"\x08\x06" for frame in self.sniffer.frames())

    def remembered(self) -> bool:
        return any(self.address.host.rsctmp.glob("*.state"))

    def claimed(self) -> bool:
        return any(self.address.host.rsctmp.glob("lvsdr-sysctl.json"))

    def added(self) -> bool:
        return has_address(self.address.host, self.address.ip)

    def announced(self) -> bool:
        return bool(self.sniffer.announcements(self.address.ip))

    def deleted(self) -> bool:
        return not self.added()

    def released(self) -> bool:
        return not self.claimed()


def killed(address: Address, action: str, moment: str, client: Host) -> None:
    """Kill an action as soon as the moment has come, or wait for its end if it is over earlier."""
    with sniffing(client) as sniffer:
        has_come = getattr(Moment(address, sniffer), moment)
        running = address.begin(action)
        while running.alive and not has_come():
            time.sleep(0.001)
        running.kill()
        ended = running.wait().returncode
    state = "there" if has_address(address.host, address.ip) else "not there"
    print(f"\n  {action} killed when {moment} ({ended}): {address.ip} is {state}")


@pytest.mark.parametrize("ip", [IP, IP6])
def test_killed_in_the_middle_of_start(world: World, director: Host, ip: str) -> None:
    moments = ["remembered", "added", "announced"]
    moments += ["asked", "claimed"] if ip == IP else []
    address = Address(director, ip)
    for moment in moments:
        killed(address, "start", moment, world.client)
        address.stop()
        assert address.entries() == []
        clean(director)
    for moment in moments:
        killed(address, "start", moment, world.client)
    address.start()
    assert address.monitor().exit_code == OK
    address.stop()
    clean(director)


def test_killed_in_the_middle_of_stop(world: World, director: Host) -> None:
    address = Address(director, duplicate_check="false", arp_count=20)
    for moment in ("deleted", "released"):
        address.start()
        killed(address, "stop", moment, world.client)
        address.stop()
        assert address.entries() == []
        clean(director)
        address.start()
        killed(address, "stop", moment, world.client)
        address.start()
        assert address.monitor().exit_code == OK
        address.stop()
        clean(director)


def clean(director: Host) -> None:
    assert not list(director.rsctmp.glob("*.state"))
    assert not list(director.rsctmp.glob("lvsdr-sysctl.json"))
    assert director.sysctl(PROMOTE.format("eth0")) == "0"
