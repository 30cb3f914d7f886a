"""Faults of nodes, a real etcd and the network, and their effects on a client.

A stand-in for Patroni keeps the key under a lease. Daemons and stand-ins query etcd over the back;
the address and its client are at the front.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.leader.etcd import KEY, Cluster
from tests.leader.faultreport import title
from tests.leader.leases import Contender
from tests.leader.managing import VIP, Manager, addresses, has
from tests.leader.network import Host
from tests.leader.relay import Relay, relays
from tests.leader.stage import Stage, contending, staged
from tests.support.waiting import wait_until

GRACE, TTL = 3, 6
SOON = 10.0  # seconds: far longer than a handover, for slow machines
SLOW = 0.2  # seconds in each direction
NODES = ("node1", "node2")
PATIENT = {"VIP_DCS_GRACE": "20"}
LONG = 30


@pytest.fixture
def settings() -> dict[str, str]:
    """Return the settings that a test changes."""
    return {}


@pytest.fixture
def ttl() -> int:
    """Return the duration of the lease in seconds."""
    return TTL


@pytest.fixture
def store(standing_etcd: Cluster) -> Iterator[Cluster]:
    """Yield a healthy store without a leader, and restore that state afterwards."""
    standing_etcd.mend()
    standing_etcd.delete()
    yield standing_etcd
    standing_etcd.mend()
    standing_etcd.delete()


@pytest.fixture
def ways(store: Cluster) -> list[list[str]]:
    """Return the store's endpoints for each node's daemon."""
    return [backs(store), backs(store)]


@pytest.fixture
def leases(ways: list[list[str]], store: Cluster) -> list[list[str]]:
    """Return the store's endpoints for each node's stand-in for Patroni."""
    assert ways
    return [backs(store), backs(store)]


@pytest.fixture
def stage(
    request: pytest.FixtureRequest,
    hosts: dict[str, Host],
    tmp_path: Path,
    settings: dict[str, str],
    ways: list[list[str]],
    leases: list[list[str]],
    ttl: int,
) -> Iterator[Stage]:
    """Yield a stage with a client that reaches the address on node1."""
    rules = {"VIP_DCS_GRACE": str(GRACE), **settings}
    managers = [Manager(hosts[name], way, tmp_path / name, rules) for name, way in zip(NODES, ways)]
    with ExitStack() as stack:
        stage = stack.enter_context(staged(title(request), hosts, managers))
        stack.enter_context(contending(stage, leases, ttl))
        stage.begin()
        yield stage


def backs(store: Cluster) -> list[str]:
    """Return the members' endpoints at the back."""
    return [f"http://{member.host.back}:2379" for member in store.members]


# --- changes of the leader


def test_switchover_and_back(stage: Stage) -> None:
    one, two = stage.contenders
    one.hand_over(two)
    stage.moved_to(1)
    two.hand_over(one)
    stage.moved_to(0)
    stage.end(most=SOON)


def test_the_leader_crashes(stage: Stage, store: Cluster) -> None:
    """The address moves when the leader's node crashes, and stays there when it returns."""
    stage.crash(0)
    stage.moved_to(1)
    host = stage.nodes[0]
    host.plug()
    stage.managers[0].begin()
    stage.contenders[0] = Contender(host, backs(store), TTL)
    stage.asked_again(0)
    assert stage.says(0, "follower")
    stage.end(most=TTL + SOON)


def test_the_leaders_lease_is_no_longer_renewed(stage: Stage) -> None:
    """The address moves when Patroni hangs or is killed, although its daemon is well."""
    stage.contenders[0].stop()
    stage.moved_to(1)
    stage.end(most=SOON)


def test_the_key_is_deleted(stage: Stage, store: Cluster) -> None:
    """The address follows the next leader, which may be either node."""
    store.ctl("del", KEY)
    number = NODES.index(wait_until(lambda: store.ctl("get", KEY, "--print-value-only").strip()))
    stage.asked_again(0, 1)
    stage.moved_to(number)
    stage.end(most=SOON)


def test_the_key_is_deleted_and_nobody_wants_it(stage: Stage, store: Cluster) -> None:
    """The address is released when no node takes the key for longer than the grace."""
    one, two = stage.contenders
    one.willing = two.willing = False
    store.ctl("del", KEY)
    wait_until(lambda: not has(stage.nodes[0]))
    two.willing = True
    stage.moved_to(1)
    stage.end(most=GRACE + 4 * SOON)


# --- faults of the store


def test_the_leading_member_crashes(stage: Stage, store: Cluster) -> None:
    store.kill(store.leader())
    stage.asked_again(0, 1)
    stage.end(most=0)


@pytest.mark.parametrize("index", [0, 1, 2], ids=lambda index: f"etcd{index + 1}")
def test_a_member_is_cut_off(stage: Stage, store: Cluster, index: int) -> None:
    for side in ("front", "back"):
        store.members[index].host.unplug(side)
    stage.asked_again(0, 1)
    stage.end(most=0)


@pytest.mark.parametrize(("settings", "ttl"), [(PATIENT, LONG)], ids=["grace 20"])
def test_all_members_are_gone_for_less_than_the_grace(stage: Stage, store: Cluster) -> None:
    for index in range(3):
        store.kill(index)
    wait_until(lambda: stage.says(0, "unknown") and stage.says(1, "unknown"))
    store.mend()
    wait_until(lambda: stage.says(0, "leader"))
    stage.asked_again(0)
    stage.end(most=0)


def test_all_members_are_gone_for_more_than_the_grace(stage: Stage, store: Cluster) -> None:
    for index in range(3):
        store.kill(index)
    wait_until(lambda: VIP not in addresses(stage.nodes[0]))
    assert stage.says(0, "unknown")
    assert not has(stage.nodes[1])
    store.mend()
    stage.moved_to(0, 1)
    stage.end(most=6 * SOON)


@pytest.mark.parametrize("leading", [True, False], ids=["leading", "following"])
def test_the_watched_member_is_stale(
    hosts: dict[str, Host],
    store: Cluster,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    leading: bool,
) -> None:
    """The address moves if the only member that node1 reaches is cut off from the others."""
    index = next(i for i in range(3) if (i == store.leader()) is leading)
    only = [store.endpoints[index]]
    rest = [endpoint for i, endpoint in enumerate(backs(store)) if i != index]
    managers = [
        Manager(hosts[name], way, tmp_path / name, {"VIP_DCS_GRACE": str(GRACE)})
        for name, way in zip(NODES, (only, rest))
    ]
    with ExitStack() as stack:
        stage = stack.enter_context(staged(title(request), hosts, managers))
        stack.enter_context(contending(stage, (only, rest), TTL))
        stage.begin()
        store.members[index].host.unplug("back")
        stage.moved_to(1)
        assert stage.says(0, "unknown")
        stage.end(most=TTL + 2 * SOON)


@pytest.fixture
def slow(store: Cluster, hosts: dict[str, Host]) -> Iterator[list[Relay]]:
    """Yield relays to all members, from either node, that can be made slow."""
    with relays(hosts["node1"], backs(store)) as one, relays(hosts["node2"], backs(store)) as two:
        yield [*one, *two]


@pytest.fixture
def slowly(slow: list[Relay]) -> list[list[str]]:
    urls = [relay.url for relay in slow]
    return [urls[:3], urls[3:]]


class TestSlow:
    """Daemons and stand-ins that reach the store over slow relays."""

    @pytest.fixture
    def ways(self, slowly: list[list[str]]) -> list[list[str]]:
        return slowly

    @pytest.fixture
    def leases(self, slowly: list[list[str]]) -> list[list[str]]:
        return slowly

    def test_slow_store(self, stage: Stage, slow: list[Relay]) -> None:
        for relay in slow:
            relay.delay = SLOW
        stage.asked_again(0)
        assert stage.segment.longest == 0
        stage.contenders[0].hand_over(stage.contenders[1])
        stage.moved_to(1)
        stage.end(most=SOON)

    def test_nothing_is_heard_of_watches(self, stage: Stage, slow: list[Relay]) -> None:
        """Watches that stay open and silent do no harm, because the periodic queries count."""
        for relay in slow:
            relay.deaf = True
        stage.asked_again(0)
        stage.contenders[0].hand_over(stage.contenders[1])
        stage.moved_to(1)
        stage.end(most=SOON)


class TestTooSlow:
    """Daemons alone on slow relays; the stand-ins reach the store directly."""

    @pytest.fixture
    def ways(self, slowly: list[list[str]]) -> list[list[str]]:
        return slowly

    def test_too_slow_store(self, stage: Stage, slow: list[Relay]) -> None:
        """An answer that comes too late counts as silence."""
        for relay in slow:
            relay.delay = 5.0
        wait_until(lambda: VIP not in addresses(stage.nodes[0]))
        assert stage.says(0, "unknown")
        for relay in slow:
            relay.delay = 0.0
        stage.moved_to(0)
        stage.end(most=4 * SOON)


# --- nodes and cables


def test_the_holder_is_without_its_store(stage: Stage) -> None:
    stage.nodes[0].unplug("back")
    wait_until(lambda: not has(stage.nodes[0]))
    assert not has(stage.nodes[1])
    stage.moved_to(1)
    stage.nodes[0].plug()
    wait_until(lambda: stage.says(0, "follower"))
    stage.end(most=TTL + SOON)


def test_the_other_is_without_its_store(stage: Stage) -> None:
    stage.nodes[1].unplug("back")
    wait_until(lambda: stage.says(1, "unknown"))
    stage.asked_again(0)
    stage.nodes[1].plug()
    wait_until(lambda: stage.says(1, "follower"))
    stage.end(most=0)


def test_cable_of_the_segment_pulled(stage: Stage) -> None:
    """The holder still leads, so it takes the address again as soon as the cable is in."""
    stage.nodes[0].unplug("front")
    wait_until(lambda: stage.managers[0].address()["trouble"])
    assert "no carrier" in stage.managers[0].address()["trouble"]
    stage.asked_again(0)
    stage.nodes[0].plug()
    stage.moved_to(0)
    stage.end(most=3 * SOON)


def test_all_cables_pulled(stage: Stage) -> None:
    for side in ("front", "back"):
        stage.nodes[0].unplug(side)
    stage.moved_to(1)
    stage.nodes[0].plug()
    wait_until(lambda: stage.says(0, "follower"))
    stage.asked_again(0)
    stage.end(most=TTL + SOON)


# --- end of the daemon


def test_killed_and_started_again(stage: Stage) -> None:
    stage.managers[0].end(signal.SIGKILL)
    stage.managers[0].begin()
    wait_until(lambda: stage.managers[0].address()["state"] == "held")
    stage.asked_again(0)
    stage.end(most=0)


def test_killed_and_started_when_another_leads(stage: Stage) -> None:
    """The new leader waits as long as another host answers for the address."""
    stage.managers[0].end(signal.SIGKILL)
    stage.contenders[0].hand_over(stage.contenders[1])
    wait_until(lambda: stage.managers[1].address()["conflicts"] > 0)
    stage.managers[0].begin()
    stage.moved_to(1)
    stage.end(most=SOON)
