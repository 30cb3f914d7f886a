"""vip-manager with a real etcd: the holder of the address, and its changes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.leader.etcd import Cluster
from tests.leader.manager import VIP, Manager, addresses, has, run_manager
from tests.leader.network import Host
from tests.support.waiting import wait_until


@pytest.fixture
def settings() -> dict[str, str]:
    """Return the settings that a test changes."""
    return {}


@pytest.fixture
def nodes(
    etcd: Cluster, hosts: dict[str, Host], tmp_path: Path, settings: dict[str, str]
) -> Iterator[list[Manager]]:
    """Yield daemons on node1, which leads, and on node2."""
    names = ("node1", "node2")
    made = [Manager(hosts[name], etcd.endpoints, tmp_path / name, settings) for name in names]
    with run_manager(*made):
        for manager in made:
            manager.begin()
        wait_until(lambda: has(made[0].host))
        yield made
        made[0].host.plug()


def killed(manager: Manager) -> None:
    manager.end(signal.SIGKILL)
    assert has(manager.host)


def test_the_address_follows_the_key(nodes: list[Manager], etcd: Cluster) -> None:
    one, two = nodes
    assert not has(two.host)
    etcd.put("node2")
    wait_until(lambda: has(two.host))
    assert not has(one.host)
    assert two.address()["state"] == "held"
    assert one.address()["state"] == "released"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda signal: signal.name)
def test_it_gives_the_address_back(nodes: list[Manager], number: signal.Signals) -> None:
    one = nodes[0]
    done = one.end(number)
    assert done.returncode == 0, done.stderr
    assert not has(one.host)
    assert f"released address={VIP}/24" in done.stderr
    assert {path.suffix for path in one.place.iterdir()} == {".lock"}


def test_without_a_store_it_gives_the_address_back_all_the_same(nodes: list[Manager]) -> None:
    one = nodes[0]
    one.host.unplug("front")
    assert one.end().returncode == 0
    assert VIP not in addresses(one.host)


@pytest.mark.parametrize("settings", [{"VIP_KEEP_ON_EXIT": "true"}], ids=["keep on exit"])
def test_it_leaves_the_address_for_the_next_daemon(nodes: list[Manager]) -> None:
    one = nodes[0]
    done = one.end()
    assert done.returncode == 0
    assert has(one.host)
    one.begin()
    wait_until(lambda: one.address()["state"] == "held")
    assert one.address()["taken"] == one.address()["released"] == 0


def test_after_a_kill_the_next_daemon_goes_on(nodes: list[Manager]) -> None:
    one = nodes[0]
    killed(one)
    one.begin()
    wait_until(lambda: one.address()["state"] == "held")
    assert one.address()["taken"] == one.address()["released"] == 0


def test_after_a_kill_the_next_daemon_cleans_up(nodes: list[Manager], etcd: Cluster) -> None:
    one, two = nodes
    killed(one)
    etcd.put("node2")
    wait_until(lambda: two.address()["conflicts"] > 0)
    one.begin()
    wait_until(lambda: has(two.host))
    assert not has(one.host)


@pytest.mark.parametrize("settings", [{"VIP_DCS_GRACE": "3600"}], ids=["patient"])
def test_after_a_kill_a_silent_store_does_not_cost_the_address(nodes: list[Manager]) -> None:
    """The next daemon continues the grace of the killed one."""
    one = nodes[0]
    killed(one)
    one.host.unplug("front")
    one.begin()
    assert one.status()["state"] == "unknown"
    wait_until(lambda: one.address()["state"] == "held")
    assert one.address()["taken"] == one.address()["released"] == 0
    assert one.address()["bad"]


def test_a_second_daemon_is_refused(nodes: list[Manager]) -> None:
    one = nodes[0]
    done = one.run()
    assert done.returncode == 1
    assert done.stderr == (
        f"vip-manager: {VIP} is managed by another vip-manager on this host already\n"
    )
    assert has(one.host)
    assert one.address()["state"] == "held"


def test_an_address_removed_by_hand_is_restored(nodes: list[Manager]) -> None:
    one = nodes[0]
    one.host.run(["ip", "address", "delete", f"{VIP}/24", "dev", "front"])
    wait_until(lambda: one.address()["restored"] == 1)
    assert has(one.host)
    assert one.address()["conflicts"] == 0


def test_another_prefix_is_put_right(nodes: list[Manager]) -> None:
    one = nodes[0]
    one.host.run(["ip", "address", "add", f"{VIP}/32", "dev", "front"])
    one.host.run(["ip", "address", "delete", f"{VIP}/24", "dev", "front"])

    def listed() -> list[str]:
        shown = one.host.run(["ip", "-brief", "address", "show", "dev", "front"]).stdout
        return [word for word in shown.split() if word.startswith(f"{VIP}/")]

    wait_until(lambda: listed() == [f"{VIP}/24"])


def test_an_address_added_by_hand_without_leadership_is_removed(nodes: list[Manager]) -> None:
    two = nodes[1]
    two.host.run(["ip", "address", "add", f"{VIP}/24", "dev", "front"])
    wait_until(lambda: not has(two.host))
    assert has(nodes[0].host)


@pytest.mark.parametrize("settings", [{"VIP_DCS_GRACE": "2"}], ids=["a grace of two seconds"])
def test_a_silent_store_costs_the_address_after_the_grace(nodes: list[Manager]) -> None:
    one = nodes[0]
    one.host.unplug("front")
    wait_until(lambda: VIP not in addresses(one.host))
    one.host.plug()
    wait_until(lambda: has(one.host))
    assert "and the grace of 2 s is over" in one.end().stderr


@pytest.mark.parametrize(
    "settings", [{"VIP_DCS_GRACE": "1", "VIP_ON_DCS_UNREACHABLE": "keep"}], ids=["keep"]
)
def test_or_does_not(nodes: list[Manager]) -> None:
    one = nodes[0]
    one.host.unplug("front")
    wait_until(lambda: "the address is kept" in one.address()["reason"])
    assert VIP in addresses(one.host)
    assert one.address()["bad"]


def test_without_a_leader_the_address_is_released(nodes: list[Manager], etcd: Cluster) -> None:
    """The last leader keeps the address for the grace, and the other node does not take it."""
    one, two = nodes
    etcd.delete()
    wait_until(lambda: one.status()["state"] == two.status()["state"] == "no leader")
    assert has(one.host)
    assert not has(two.host)
    etcd.put("node2")
    wait_until(lambda: has(two.host))
    assert not has(one.host)


@pytest.mark.parametrize("peer", ["10.78.0.222/32", "10.78.0.222/24", "192.0.2.1/32"])
def test_an_address_with_a_peer_is_put_right(nodes: list[Manager], peer: str) -> None:
    one, two = nodes
    for manager in nodes:
        manager.host.run(["ip", "address", "add", VIP, "peer", peer, "dev", "front"], check=False)
        manager.host.run(["ip", "address", "delete", f"{VIP}/24", "dev", "front"], check=False)
    wait_until(lambda: VIP not in addresses(two.host))
    wait_until(lambda: addresses(one.host).get(VIP, {}).get("prefixlen") == 24)
    wait_until(lambda: "address" not in addresses(one.host).get(VIP, {"address": ""}))
    wait_until(lambda: has(one.host))


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[Path]:
    """Yield a full pipe without a reader."""
    path = tmp_path / "unread"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(end, bytes(4096))
    yield path
    os.close(end)


def test_a_log_that_nothing_reads_does_not_keep_the_address(
    nodes: list[Manager], etcd: Cluster, unread: Path
) -> None:
    one, two = nodes
    one.end()
    one.prefix = ["sh", "-c", f'exec "$@" 2>"{unread}"', "sh"]
    one.begin()
    wait_until(lambda: has(one.host))
    etcd.put("node2")
    wait_until(lambda: has(two.host))
    assert not has(one.host)
    etcd.put("node1")
    wait_until(lambda: has(one.host))
    assert one.end().returncode == 0
    assert not has(one.host)
