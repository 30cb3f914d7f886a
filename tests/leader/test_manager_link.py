"""vip-manager and its link: interfaces that come and go, and other hosts on the segment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from lvsdr.address.frames import build_announcement_frames
from lvsdr.system.net import arp

from tests.leader.etcd import Cluster
from tests.leader.manager import VIP6, Manager, addresses, has, run_manager
from tests.leader.network import Host
from tests.support.fabric import plug
from tests.support.processes import run
from tests.support.waiting import wait_until

BACK = "10.78.1.200"
KEPT = {
    "VIP_INTERFACE": "back",
    "VIP_IP": "10.78.1.200",
    "VIP_ON_DCS_UNREACHABLE": "keep",
    "VIP_DCS_GRACE": "1",
}
ON_THE_BACK = {"VIP_INTERFACE": "back", "VIP_IP": BACK}
LATE = "late"
NOBODY = "02:00:00:00:00:99"


@pytest.fixture
def one(
    etcd: Cluster, hosts: dict[str, Host], tmp_path: Path, settings: dict[str, str]
) -> Iterator[Manager]:
    """Yield a daemon on node1, the leader, not yet started. The store is at the other side."""
    made = Manager(hosts["node1"], etcd.endpoints, tmp_path / "node1", settings)
    with run_manager(made):
        yield made
    made.host.plug()
    for line in (f"link delete {LATE}", f"address delete {BACK}/24 dev back"):
        made.host.run(["ip", *line.split()], check=False)


@pytest.fixture
def other(hosts: dict[str, Host]) -> Iterator[Host]:
    """Yield a second host that has the address."""
    host = hosts["elsewhere"]
    host.run(["ip", "address", "add", f"{BACK}/24", "dev", "back"])
    yield host
    host.run(["ip", "address", "delete", f"{BACK}/24", "dev", "back"], check=False)


def mistaken(host: Host) -> None:
    """Put a neighbour entry for the address with an unused MAC into a host's table."""
    words = ["lladdr", NOBODY, "dev", "back", "nud", "stale"]

    def believed_now() -> bool:
        host.run(["ip", "neighbour", "replace", BACK, *words])
        return believes(host)

    wait_until(believed_now)  # an announcement may replace the entry


def believed(host: Host) -> str:
    return host.run(["ip", "neighbour", "show", BACK, "dev", "back"]).stdout


def believes(host: Host) -> bool:
    return NOBODY in believed(host)


def mac_of(host: Host) -> str:
    said = host.run(["ip", "-json", "link", "show", "back"]).stdout
    return str(json.loads(said)[0]["address"])


def trouble(manager: Manager) -> str:
    return str(manager.address()["trouble"])


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_a_link_that_returns_is_announced(one: Manager, hosts: dict[str, Host]) -> None:
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back"))
    one.host.unplug("back")
    wait_until(lambda: trouble(one) == "interface back has no carrier")
    assert one.address()["state"] == "held"
    mistaken(hosts["elsewhere"])
    one.host.plug()
    wait_until(lambda: trouble(one) == "" and not believes(hosts["elsewhere"]))


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_an_interface_without_a_link_is_waited_for(one: Manager) -> None:
    one.host.unplug("back")
    one.begin()
    wait_until(lambda: trouble(one) == "interface back has no carrier")
    assert BACK not in addresses(one.host, "back")
    one.host.plug()
    wait_until(lambda: has(one.host, BACK, "back"))


@pytest.mark.parametrize(
    "settings", [{**ON_THE_BACK, "VIP_INTERFACE": LATE}], ids=["interface late"]
)
def test_an_interface_that_comes_later_goes_and_comes_again(one: Manager) -> None:
    one.begin()
    wait_until(lambda: trouble(one) == f"interface {LATE} does not exist")
    for _ in range(2):
        one.host.run(["ip", *f"link add {LATE} type veth peer name {LATE}r".split()])
        wait_until(lambda: trouble(one) == f"interface {LATE} is down")
        one.host.run(["ip", "link", "set", LATE, "up"])
        wait_until(lambda: trouble(one) == f"interface {LATE} has no carrier")
        one.host.run(["ip", "link", "set", f"{LATE}r", "up"])
        wait_until(lambda: has(one.host, BACK, LATE))
        one.host.run(["ip", "link", "delete", LATE])
        wait_until(lambda: trouble(one) == f"interface {LATE} does not exist")


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_another_host_is_waited_for(one: Manager, other: Host) -> None:
    one.begin()
    wait_until(lambda: "in use by" in trouble(one))
    assert not has(one.host, BACK, "back")
    other.run(["ip", "address", "delete", f"{BACK}/24", "dev", "back"])
    wait_until(lambda: has(one.host, BACK, "back"))


@pytest.mark.parametrize(
    "settings",
    [{**ON_THE_BACK, "VIP_TAKEOVER_TIMEOUT": "0.5", "VIP_RETRY_TIMEOUT": "0.5"}],
    ids=["short"],
)
def test_an_attempt_is_abandoned_and_another_one_made(one: Manager, other: Host) -> None:
    process = one.begin()
    wait_until(lambda: "after 0.5 s" in trouble(one))
    conflicts = one.address()["conflicts"]
    wait_until(lambda: one.address()["conflicts"] > conflicts + 2)
    assert not has(one.host, BACK, "back")
    other.run(["ip", "address", "delete", f"{BACK}/24", "dev", "back"])
    wait_until(lambda: has(one.host, BACK, "back"))
    one.end()
    waiting = [line for line in process.close().stderr.splitlines() if " waiting " in line]
    assert len(waiting) == 2, waiting  # in use, then still in use: one message each


@pytest.mark.parametrize(
    "settings",
    [{**ON_THE_BACK, "VIP_TAKEOVER_TIMEOUT": "0.5", "VIP_FORCE_TAKEOVER": "yes"}],
    ids=["force"],
)
@pytest.mark.usefixtures("other")
def test_or_the_address_is_taken_by_force(one: Manager) -> None:
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back"))
    assert one.address()["conflicts"] > 0


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_the_segment_learns_of_it(one: Manager, hosts: dict[str, Host]) -> None:
    """The table of a neighbour that maps the address to another host is corrected."""
    mistaken(hosts["elsewhere"])
    one.begin()
    wait_until(lambda: not believes(hosts["elsewhere"]))


@pytest.mark.parametrize(
    "settings",
    [{"VIP_INTERFACE": "back", "VIP_IP": f"{BACK},{VIP6}", "VIP_NETMASK": "24,64"}],
    ids=["two"],
)
def test_several_addresses(one: Manager, etcd: Cluster) -> None:
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back") and has(one.host, VIP6, "back"))
    assert [one.address(n)["state"] for n in (0, 1)] == ["held", "held"]
    one.host.run(["ip", "link", "set", "back", "down"])  # removes the IPv6 address
    wait_until(lambda: trouble(one) == "interface back is down")
    one.host.run(["ip", "link", "set", "back", "up"])
    wait_until(lambda: has(one.host, BACK, "back") and has(one.host, VIP6, "back"))
    etcd.put("node2")
    wait_until(lambda: not has(one.host, BACK, "back") and not has(one.host, VIP6, "back"))


@pytest.mark.parametrize(
    "settings",
    [
        {
            "VIP_INTERFACE": "back",
            "VIP_IP": VIP6,
            "VIP_NETMASK": "64",
            "VIP_TAKEOVER_TIMEOUT": "0.5",
            "VIP_RETRY_TIMEOUT": "0.5",
        }
    ],
    ids=[""],
)
def test_the_kernel_finds_another_owner(one: Manager, hosts: dict[str, Host]) -> None:
    other = hosts["elsewhere"]
    other.run(["ip", "address", "add", f"{VIP6}/64", "dev", "back", "nodad"])
    try:
        one.begin()
        wait_until(lambda: "in use by" in trouble(one))
        assert not has(one.host, VIP6, "back")
    finally:
        other.run(["ip", "address", "delete", f"{VIP6}/64", "dev", "back"])
    wait_until(lambda: has(one.host, VIP6, "back"))


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_another_mac_is_announced(one: Manager, hosts: dict[str, Host]) -> None:
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back"))
    mac = "02:00:00:00:00:98"
    old = mac_of(one.host)
    try:
        mistaken(hosts["elsewhere"])
        one.host.run(["ip", "link", "set", "back", "address", mac])
        wait_until(lambda: mac in believed(hosts["elsewhere"]))
    finally:
        one.host.run(["ip", "link", "set", "back", "address", old])


def announced(host: Host, address: str, times: int = 1) -> None:
    """Let a host claim the address, like one that was cut off until now."""
    words = ["link", "show", "dev", "back"]
    mac = json.loads(host.run(["ip", "-json", *words]).stdout)[0]["address"]
    with host.entered():
        for _ in range(times):
            arp.send_frames("back", build_announcement_frames(mac, address))


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
def test_the_address_is_defended(one: Manager, hosts: dict[str, Host]) -> None:
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back") and one.address()["state"] == "held")
    witness, intruder = hosts["elsewhere"], hosts["node3"]
    ours = mac_of(one.host)
    mistaken(witness)
    wait_until(lambda: ours in believed(witness))  # the initial rounds of announcements
    wait_until(lambda: one.address()["conflicts"] == 0)
    announced(intruder, BACK, times=3)
    wait_until(lambda: one.address()["conflicts"] == 1)
    wait_until(lambda: ours in believed(witness))
    said = one.end().stderr
    assert f'reason="{mac_of(intruder)} claims the address, too"' in said
    assert said.count(" defended ") in (1, 2)  # the rest of a burst has to wait for ten seconds


@pytest.mark.parametrize(
    "settings",
    [{"VIP_INTERFACE": "back", "VIP_IP": VIP6, "VIP_NETMASK": "64"}],
    ids=["IPv6"],
)
def test_an_ipv6_address_is_defended(one: Manager, hosts: dict[str, Host]) -> None:
    one.begin()
    wait_until(lambda: has(one.host, VIP6, "back"))
    wait_until(lambda: one.address()["state"] == "held")

    def noticed() -> bool:
        announced(hosts["node3"], VIP6)
        return bool(one.address()["conflicts"])

    wait_until(noticed)
    assert " defended " in one.end().stderr


@pytest.mark.parametrize("settings", [KEPT], ids=["keep"])
def test_an_old_holder_is_silent_until_the_store_has_confirmed_it(
    one: Manager, etcd: Cluster, hosts: dict[str, Host]
) -> None:
    """An old holder that was cut off stays silent if its link returns before its store."""
    one.begin()
    wait_until(lambda: has(one.host, BACK, "back"))
    witness = hosts["elsewhere"]
    one.host.unplug("front")
    wait_until(lambda: one.status()["state"] == "unknown" and one.address()["state"] == "held")
    one.host.unplug("back")
    wait_until(lambda: trouble(one) == "interface back has no carrier")
    mistaken(witness)
    etcd.put("node2")
    with one.host.entered():
        run(["ip", "link", "set", "front", "up"])
    one.host.unplugged.discard("back")
    plug(f"{one.host.name}-back")
    wait_until(lambda: trouble(one) == "")
    answers = one.status()["unanswered"]
    wait_until(lambda: one.status()["unanswered"] > answers + 1)
    assert believes(witness)
    one.host.plug()
    wait_until(lambda: not has(one.host, BACK, "back"))
    assert believes(witness)


@pytest.mark.parametrize("settings", [ON_THE_BACK], ids=[""])
@pytest.mark.usefixtures("other")
def test_it_ends_while_it_waits_for_another_host(one: Manager) -> None:
    process = one.begin()
    wait_until(lambda: "in use by" in trouble(one))
    assert one.end().returncode == 0
    assert "released" not in process.close().stderr
    assert BACK not in addresses(one.host, "back")
