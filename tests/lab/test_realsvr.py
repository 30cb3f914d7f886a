"""The agent lvsdr-realsvr on the real kernel: its changes on a node, and their limits."""

from __future__ import annotations

import os
import random
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.host import VIP, VIP6, Host
from tests.lab.operation import agent_result
from tests.lab.realsvr_agent import REALSVR, RealServer, on_lo, surroundings, unprepared
from tests.lab.resource import first_in_path, script
from tests.lab.world import World
from tests.support.waiting import wait_until

OTHER = "10.77.0.101"
LABELLED = f"inet {VIP}/32 scope host lo:0"
DEPRECATED = f"inet6 {VIP6}/128 scope global nodad deprecated"
SILENT = {
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/lo/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
    "net/ipv4/conf/lo/arp_announce": "2",
}
IGNORE = "net/ipv4/conf/all/arp_ignore"

# Entries of other owners on lo: similar addresses, an equal label, routes.
FURNITURE = [
    "address add 10.77.0.10/32 dev lo label lo:0",
    "address add 10.77.0.1/32 dev lo label lo:10",
    "address add 110.77.0.100/32 dev lo",
    "address add fd77::1001/128 dev lo",
    "address add fd77::10/128 dev lo nodad",
    "route add 203.0.113.0/24 dev lo",
    "route add fd99::/64 dev lo",
]
OTHER_INTERFACE = ["link add plain type dummy", "link set plain up"]


@pytest.fixture
def node(world: World) -> Iterator[Host]:
    """Yield a node that is not prepared to be a real server."""
    with unprepared([world.node1], [world.node1]):
        yield world.node1
        gone = [line.replace("add", "del", 1) for line in FURNITURE if line.startswith("route")]
        world.node1.ip(["link del plain", *gone], check=False)
        world.client.ip(["neigh flush all"])


@pytest.fixture(params=[VIP, VIP6])
def resource(request: pytest.FixtureRequest, node: Host) -> RealServer:
    return RealServer(node, request.param)


def settings(host: Host) -> dict[str, str]:
    return {name: host.sysctl(name) for name in SILENT}


def line(resource: RealServer) -> str:
    return LABELLED if resource.parameters["vip"] == VIP else DEPRECATED


def whole(resource: RealServer) -> str:
    """Return the address with its prefix."""
    return line(resource).split()[1]


# --- start, monitor, stop


def test_a_whole_life(resource: RealServer) -> None:
    """Start and stop, each twice, change nothing else on the node, and stop restores its state."""
    host = resource.host
    host.ip(FURNITURE)
    before, others = surroundings(host), on_lo(host)
    assert resource.probe().exit_code == 7
    assert resource.monitor().exit_code == 7
    assert surroundings(host) == before
    for _ in range(2):
        resource.start()
        assert sorted(on_lo(host)) == sorted([*others, line(resource)])
        assert settings(host) == (SILENT if whole(resource).startswith(VIP) else off())
        running = surroundings(host)
        assert (resource.monitor().exit_code, resource.probe().exit_code) == (0, 0)
        assert surroundings(host) == running
    for _ in range(2):
        resource.stop()
        assert surroundings(host) == before
    assert sorted(path.suffix for path in host.rsctmp.iterdir()) in (
        [".lock"],
        [".lock", ".lock"],
    )


def off() -> dict[str, str]:
    return dict.fromkeys(SILENT, "0")


def test_nothing_similar_is_taken_for_it(resource: RealServer) -> None:
    """Longer and shorter addresses, others with its label, and other interfaces do not count."""
    host = resource.host
    host.ip([*FURNITURE, *OTHER_INTERFACE, f"address add {whole(resource)} dev plain"])
    before = surroundings(host)
    assert (resource.probe().exit_code, resource.monitor().exit_code) == (7, 7)
    resource.stop()
    assert surroundings(host) == before
    resource.start()
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert surroundings(host) == before


@pytest.mark.parametrize("label", ["lo", "lo:1", "lo:10", "lo:read-vip.012"])
def test_labels(node: Host, label: str) -> None:
    resource = RealServer(node, nic_lo=label)
    resource.start()
    assert on_lo(node) == [f"inet {VIP}/32 scope host {label}"]
    resource.parameters["nic_lo"] = "lo:other"
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert on_lo(node) == []


def test_it_is_no_source_address(node: Host) -> None:
    """The VIP on lo is no source address.

    If an interface has no address, the kernel uses one of lo first.
    """
    node.ip([*OTHER_INTERFACE, "route add 10.88.0.0/24 dev plain", f"address add {VIP}/32 dev lo"])
    assert source(node, "10.88.0.1") == VIP
    node.ip([f"address del {VIP}/32 dev lo", "route add fd88::/64 dev plain"])
    RealServer(node).start()
    RealServer(node, VIP6, "rs6").start()
    assert source(node, "10.88.0.1") == node.address
    assert source(node, "10.77.0.1") == node.address
    assert source(node, "fd88::1") == node.address6
    assert source(node, "fd77::1") == node.address6


def source(host: Host, destination: str) -> str:
    with host.entered():
        family = socket.AF_INET6 if ":" in destination else socket.AF_INET
        sender = socket.socket(family, socket.SOCK_DGRAM)
    with sender:
        sender.connect((destination, 9))
        return str(sender.getsockname()[0])


# --- existing addresses


def test_an_address_put_there_by_hand_is_adopted(resource: RealServer) -> None:
    """An address with no label, or with another one, stays as it is, and stop removes it."""
    host = resource.host
    host.ip([f"address add {whole(resource)} dev lo"])
    by_hand = on_lo(host)
    assert resource.probe().exit_code == 0
    assert "adopted" in resource.start().stderr
    assert on_lo(host) == by_hand
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert on_lo(host) == []
    if whole(resource).startswith(VIP):
        host.ip([f"address add {whole(resource)} dev lo label lo:9"])
        assert "with label lo:9: adopted" in resource.start().stderr
        resource.stop()
        assert (on_lo(host), settings(host)) == ([], off())


def test_another_prefix_is_another_address(node: Host) -> None:
    resource = RealServer(node)
    node.ip([f"address add {VIP}/24 dev lo"])
    assert resource.probe().exit_code == 7
    result = resource.monitor()
    assert result.exit_code == 7
    assert f"{VIP}/24 is on lo: none of ours" in result.stderr
    assert resource.run("validate-all", 20.0, 0.0, OCF_CHECK_LEVEL="10").exit_code == 2
    assert f"{VIP}/24 is on lo" in resource.start().stderr
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert on_lo(node) == [f"inet {VIP}/24 scope global lo"]


def test_another_prefix_of_ipv6_is_in_the_way(node: Host) -> None:
    """The kernel has each IPv6 address once per interface, so start fails and replaces nothing."""
    resource = RealServer(node, VIP6)
    node.ip([f"address add {VIP6}/64 dev lo nodad"])
    by_hand = on_lo(node)
    assert resource.probe().exit_code == 7
    result = resource.run("start")
    assert (result.exit_code, on_lo(node)) == (1, by_hand)
    assert result.reason.startswith(f"{VIP6} cannot be put on lo: ")
    resource.stop()
    assert on_lo(node) == by_hand
    node.ip([f"address del {VIP6}/64 dev lo"])
    resource.start()
    assert resource.monitor().exit_code == 0


def test_several_side_by_side(node: Host) -> None:
    """The last resource that needs the ARP settings restores them. Labels may be equal."""
    one, two, three = (
        RealServer(node, vip, f"rs{n}") for n, vip in enumerate((VIP, OTHER, VIP6), 1)
    )
    for resource in (one, two, three):
        resource.start()
    assert len(on_lo(node)) == 3
    one.stop()
    assert [r.monitor().exit_code for r in (one, two, three)] == [7, 0, 0]
    assert settings(node) == SILENT
    one.start()
    two.stop()
    assert [r.monitor().exit_code for r in (one, two, three)] == [0, 7, 0]
    one.stop()
    assert settings(node) == off()
    assert three.monitor().exit_code == 0
    three.stop()
    assert on_lo(node) == []


# --- changes by hand


def test_a_changed_sysctl_is_named(node: Host) -> None:
    resource = RealServer(node)
    resource.start()
    for name, wanted in SILENT.items():
        node.sysctl(name, 0)
        result = resource.monitor()
        assert (result.exit_code, result.reason) == (1, f"{name} is 0, not {wanted}")
        assert resource.probe().exit_code == 1  # started here, but not in order
        node.sysctl(name, wanted)
    node.sysctl(IGNORE, 2)  # stricter
    assert resource.monitor().exit_code == 0
    node.sysctl(IGNORE, 0)
    resource.stop()
    resource.start()
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert settings(node) == off()


def test_stop_restores_settings_except_later_changes(node: Host) -> None:
    resource = RealServer(node)
    before = {**off(), "net/ipv4/conf/all/arp_announce": "1", "net/ipv4/conf/lo/arp_ignore": "2"}
    for name, value in before.items():
        node.sysctl(name, value)
    resource.start()
    assert resource.monitor().exit_code == 0
    assert settings(node) == {**SILENT, "net/ipv4/conf/lo/arp_ignore": "2"}
    resource.stop()
    assert settings(node) == before
    resource.start()
    node.sysctl(IGNORE, 2)
    resource.start()
    assert (
        f"{IGNORE} left at 2, changed since by another program (was 0 before)"
        in resource.stop().stderr
    )
    assert settings(node) == {**before, IGNORE: "2"}


def test_a_removed_address(resource: RealServer) -> None:
    resource.start()
    resource.host.ip([f"address del {whole(resource)} dev lo"])
    assert (resource.monitor().exit_code, resource.probe().exit_code) == (7, 7)
    resource.stop()
    resource.start()
    assert resource.monitor().exit_code == 0


def test_lo_that_is_down(resource: RealServer) -> None:
    """start brings lo up, and stop does not take it down."""
    resource.host.ip(["link set lo down"])
    assert "lo was down: brought up" in resource.start().stderr
    assert resource.monitor().exit_code == 0
    resource.host.ip(["link set lo down"])
    down = resource.monitor()
    if ":" in whole(resource):  # the kernel has removed it
        assert down.exit_code == 7
    else:
        assert (down.exit_code, down.reason) == (1, "lo is down")
    resource.stop()
    resource.start()
    assert resource.monitor().exit_code == 0


def test_ipv6_that_is_disabled(node: Host) -> None:
    resource = RealServer(node, VIP6)
    disabled = "net/ipv6/conf/lo/disable_ipv6"
    node.sysctl(disabled, 1)
    try:
        result = resource.run("start")
        assert result.exit_code == 2
        assert result.reason == f"vip={VIP6}: IPv6 is disabled on lo (sysctl {disabled})"
        assert resource.probe().exit_code == 7
        resource.stop()
    finally:
        node.sysctl(disabled, 0)


# --- broken parameters, nothing installed, no privilege, another boot


def test_broken_parameters(resource: RealServer) -> None:
    resource.start()
    legal = dict(resource.parameters)
    resource.parameters["nic_lo"] = "eth0:1"
    result = resource.monitor()
    assert (result.exit_code, result.reason.partition("=")[0]) == (190, "nic_lo")
    resource.parameters.update(vip="10.77.0.300", drain_timeout="soon")
    assert (resource.monitor().exit_code, resource.probe().exit_code) == (190, 0)
    resource.stop()
    assert (on_lo(resource.host), settings(resource.host)) == ([], off())
    assert (resource.monitor().exit_code, resource.probe().exit_code) == (7, 7)
    assert resource.run("start").exit_code == 6
    resource.parameters = legal


def test_reload(node: Host) -> None:
    resource = RealServer(node)
    assert resource.run("reload-agent").exit_code == 1
    resource.start()
    resource.parameters["drain_timeout"] = "1min"
    before = on_lo(node)
    resource.reload()
    assert on_lo(node) == before
    assert "60.0" in (node.rsctmp / "lvsdr-rs.state").read_text()


def test_without_ip(node: Host, tmp_path: Path) -> None:
    resource = RealServer(node)
    place = shutil.which("ip", path="/usr/sbin:/usr/bin:/sbin:/bin")
    hide = f"for p in /bin/ip /sbin/ip {place}; do test ! -e $p || mount --bind /dev/null $p; done"
    inside = script(tmp_path / "inside", f'set -e; {hide}; exec {REALSVR} "$@"')
    resource.agent = script(tmp_path / "bare", f'exec unshare --mount {inside} "$@"')
    assert (resource.probe().exit_code, resource.monitor().exit_code) == (7, 7)
    resource.stop()
    assert resource.run("start").exit_code == 5
    assert on_lo(node) == []
    node.ip([f"address add {VIP}/32 dev lo"])
    assert resource.probe().exit_code == 0
    result = resource.run("stop")
    assert (result.exit_code, result.reason) == (5, "program ip is not installed")
    assert len(on_lo(node)) == 1


def test_without_the_privilege(node: Host, tmp_path: Path) -> None:
    resource = RealServer(node)
    nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    resource.agent = script(tmp_path / "nobody", f'exec {nobody} {REALSVR} "$@"')
    assert resource.run("start").exit_code == 4
    assert resource.probe().exit_code == 7
    resource.stop()
    node.ip([f"address add {VIP}/32 dev lo"])
    assert resource.probe().exit_code == 0
    assert resource.run("stop").exit_code == 4
    assert len(on_lo(node)) == 1


def test_another_boot(node: Host) -> None:
    """State of an earlier boot is ignored, and the present settings are the original ones."""
    resource = RealServer(node)
    resource.start()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    for path in node.rsctmp.iterdir():
        path.write_text(path.read_text().replace(boot, "another"))
    node.ip([f"address del {VIP}/32 dev lo"])
    for name in SILENT:
        node.sysctl(name, 1)
    now = settings(node)
    assert resource.probe().exit_code == 7
    resource.stop()
    assert settings(node) == now
    resource.start()
    resource.stop()
    assert settings(node) == now


# --- kill -9


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("action", ["start", "stop"])
def test_killed_while_ip_runs(
    resource: RealServer, action: str, before: bool, tmp_path: Path
) -> None:
    """A kill right before or right after the change of the address leaves a state that is known."""
    host = resource.host
    initial = surroundings(host)
    if action == "stop":
        resource.start()
    reached = tmp_path / "reached"
    real = "/usr/bin/ip" if Path("/usr/bin/ip").exists() else "/sbin/ip"
    done = ":" if before else f'{real} "$@"'
    looks = f'[ "$1" = -batch ] || exec {real} "$@"'
    body = f"{looks}; {done}; : > {reached}; exec sleep 30"
    path = first_in_path(tmp_path / "bin", "ip", body)
    running = resource.begin(action, PATH=path)
    wait_until(reached.exists, description=f"{reached} appears", pause=0.02)
    running.kill()
    assert resource.probe().exit_code == (7 if (action == "start") is before else 0)
    clean(resource, initial)


def clean(resource: RealServer, initial: dict[str, object]) -> None:
    """Start and stop the resource. Assert that the initial state is restored."""
    resource.start()
    assert resource.monitor().exit_code == 0
    resource.stop()
    assert resource.probe().exit_code == 7
    assert surroundings(resource.host) == initial


def test_killed_at_any_time(node: Host) -> None:
    resource = RealServer(node)
    initial = surroundings(node)
    moments = random.Random(7)
    for _ in range(4):
        for action in ("start", "stop"):
            running = resource.begin(action)
            time.sleep(moments.uniform(0.1, 0.9))
            running.kill()
            running.wait()
            assert resource.probe().exit_code in (0, 1, 7)
    clean(resource, initial)


def test_start_beside_a_start_that_hangs(node: Host, tmp_path: Path) -> None:
    """Only one action runs at a time, and a second one names its obstacle."""
    resource = RealServer(node)
    reached = tmp_path / "reached"
    path = first_in_path(tmp_path / "bin", "ip", f": > {reached}; exec sleep 30")
    running = resource.begin("start", PATH=path)
    wait_until(reached.exists, description=f"{reached} appears", pause=0.02)
    result = resource.run("start", 3.0)
    assert result.exit_code == 1
    assert result.reason == "another action of this resource is still running"
    running.kill()
    agent_result(running.wait())
    assert os.path.exists(reached)
    resource.start()
