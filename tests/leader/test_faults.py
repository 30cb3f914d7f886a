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
from tests.leader.fault_report import title
from tests.leader.fault_scenario import FaultScenario, contending, prepare_scenario
from tests.leader.leases import Contender
from tests.leader.manager import VIP, Manager, addresses, has
from tests.leader.network import Host
from tests.leader.slow_relay import Relay, relays
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
def scenario(
    request: pytest.FixtureRequest,
    hosts: dict[str, Host],
    tmp_path: Path,
    settings: dict[str, str],
    ways: list[list[str]],
    leases: list[list[str]],
    ttl: int,
) -> Iterator[FaultScenario]:
    """Yield a scenario with a client that reaches the address on node1."""
    rules = {"VIP_DCS_GRACE": str(GRACE), **settings}
    managers = [Manager(hosts[name], way, tmp_path / name, rules) for name, way in zip(NODES, ways)]
    with ExitStack() as stack:
        scenario = stack.enter_context(prepare_scenario(title(request), hosts, managers))
        stack.enter_context(contending(scenario, leases, ttl))
        scenario.begin()
        yield scenario


def backs(store: Cluster) -> list[str]:
    """Return the members' endpoints at the back."""
    return [f"http://{member.host.back}:2379" for member in store.members]


# --- changes of the leader


def test_switchover_and_back(scenario: FaultScenario) -> None:
    one, two = scenario.contenders
    one.hand_over(two)
    scenario.moved_to(1)
    two.hand_over(one)
    scenario.moved_to(0)
    scenario.end(most=SOON)


def test_the_leader_crashes(scenario: FaultScenario, store: Cluster) -> None:
    """The address moves when the leader's node crashes, and stays there when it returns."""
    scenario.crash(0)
    scenario.moved_to(1)
    host = scenario.nodes[0]
    host.plug()
    scenario.managers[0].begin()
    scenario.contenders[0] = Contender(host, backs(store), TTL)
    scenario.asked_again(0)
    assert scenario.says(0, "follower")
    scenario.end(most=TTL + SOON)


def test_the_leaders_lease_is_no_longer_renewed(scenario: FaultScenario) -> None:
    """The address moves when Patroni hangs or is killed, although its daemon is well."""
    scenario.contenders[0].stop()
    scenario.moved_to(1)
    scenario.end(most=SOON)


def test_the_key_is_deleted(scenario: FaultScenario, store: Cluster) -> None:
    """The address follows the next leader, which may be either node."""
    store.ctl("del", KEY)
    number = NODES.index(wait_until(lambda: store.ctl("get", KEY, "--print-value-only").strip()))
    scenario.asked_again(0, 1)
    scenario.moved_to(number)
    scenario.end(most=SOON)


def test_the_key_is_deleted_without_contenders(scenario: FaultScenario, store: Cluster) -> None:
    """The address is released when no node takes the key for longer than the grace."""
    one, two = scenario.contenders
    one.willing = two.willing = False
    store.ctl("del", KEY)
    wait_until(lambda: not has(scenario.nodes[0]))
    two.willing = True
    scenario.moved_to(1)
    scenario.end(most=GRACE + 4 * SOON)


# --- faults of the store


def test_the_leading_member_crashes(scenario: FaultScenario, store: Cluster) -> None:
    store.kill(store.leader())
    scenario.asked_again(0, 1)
    scenario.end(most=0)


@pytest.mark.parametrize("index", [0, 1, 2], ids=lambda index: f"etcd{index + 1}")
def test_a_member_is_cut_off(scenario: FaultScenario, store: Cluster, index: int) -> None:
    for side in ("front", "back"):
        store.members[index].host.unplug(side)
    scenario.asked_again(0, 1)
    scenario.end(most=0)


@pytest.mark.parametrize(("settings", "ttl"), [(PATIENT, LONG)], ids=["grace 20"])
def test_all_members_are_gone_for_less_than_the_grace(
    scenario: FaultScenario, store: Cluster
) -> None:
    for index in range(3):
        store.kill(index)
    wait_until(lambda: scenario.says(0, "unknown") and scenario.says(1, "unknown"))
    store.mend()
    wait_until(lambda: scenario.says(0, "leader"))
    scenario.asked_again(0)
    scenario.end(most=0)


def test_all_members_are_gone_for_more_than_the_grace(
    scenario: FaultScenario, store: Cluster
) -> None:
    for index in range(3):
        store.kill(index)
    wait_until(lambda: VIP not in addresses(scenario.nodes[0]))
    assert scenario.says(0, "unknown")
    assert not has(scenario.nodes[1])
    store.mend()
    scenario.moved_to(0, 1)
    scenario.end(most=6 * SOON)


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
        scenario = stack.enter_context(prepare_scenario(title(request), hosts, managers))
        stack.enter_context(contending(scenario, (only, rest), TTL))
        scenario.begin()
        store.members[index].host.unplug("back")
        scenario.moved_to(1)
        assert scenario.says(0, "unknown")
        scenario.end(most=TTL + 2 * SOON)


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

    def test_slow_store(self, scenario: FaultScenario, slow: list[Relay]) -> None:
        for relay in slow:
            relay.delay = SLOW
        scenario.asked_again(0)
        assert scenario.segment.longest == 0
        scenario.contenders[0].hand_over(scenario.contenders[1])
        scenario.moved_to(1)
        scenario.end(most=SOON)

    def test_watches_get_no_events(self, scenario: FaultScenario, slow: list[Relay]) -> None:
        """Watches that stay open and silent do no harm, because the periodic queries count."""
        for relay in slow:
            relay.deaf = True
        scenario.asked_again(0)
        scenario.contenders[0].hand_over(scenario.contenders[1])
        scenario.moved_to(1)
        scenario.end(most=SOON)


class TestTooSlow:
    """Daemons alone on slow relays; the stand-ins reach the store directly."""

    @pytest.fixture
    def ways(self, slowly: list[list[str]]) -> list[list[str]]:
        return slowly

    def test_too_slow_store(self, scenario: FaultScenario, slow: list[Relay]) -> None:
        """An answer that comes too late counts as silence."""
        for relay in slow:
            relay.delay = 5.0
        wait_until(lambda: VIP not in addresses(scenario.nodes[0]))
        assert scenario.says(0, "unknown")
        for relay in slow:
            relay.delay = 0.0
        scenario.moved_to(0)
        scenario.end(most=4 * SOON)


# --- nodes and cables


def test_the_holder_is_without_its_store(scenario: FaultScenario) -> None:
    scenario.nodes[0].unplug("back")
    wait_until(lambda: not has(scenario.nodes[0]))
    assert not has(scenario.nodes[1])
    scenario.moved_to(1)
    scenario.nodes[0].plug()
    wait_until(lambda: scenario.says(0, "follower"))
    scenario.end(most=TTL + SOON)


def test_the_other_is_without_its_store(scenario: FaultScenario) -> None:
    scenario.nodes[1].unplug("back")
    wait_until(lambda: scenario.says(1, "unknown"))
    scenario.asked_again(0)
    scenario.nodes[1].plug()
    wait_until(lambda: scenario.says(1, "follower"))
    scenario.end(most=0)


def test_cable_of_the_segment_pulled(scenario: FaultScenario) -> None:
    """The holder still leads, so it takes the address again as soon as the cable is in."""
    scenario.nodes[0].unplug("front")
    wait_until(lambda: scenario.managers[0].address()["trouble"])
    assert "no carrier" in scenario.managers[0].address()["trouble"]
    scenario.asked_again(0)
    scenario.nodes[0].plug()
    scenario.moved_to(0)
    scenario.end(most=3 * SOON)


def test_all_cables_pulled(scenario: FaultScenario) -> None:
    for side in ("front", "back"):
        scenario.nodes[0].unplug(side)
    scenario.moved_to(1)
    scenario.nodes[0].plug()
    wait_until(lambda: scenario.says(0, "follower"))
    scenario.asked_again(0)
    scenario.end(most=TTL + SOON)


# --- end of the daemon


def test_killed_and_started_again(scenario: FaultScenario) -> None:
    scenario.managers[0].end(signal.SIGKILL)
    scenario.managers[0].begin()
    wait_until(lambda: scenario.managers[0].address()["state"] == "held")
    scenario.asked_again(0)
    scenario.end(most=0)


def test_killed_and_started_when_another_leads(scenario: FaultScenario) -> None:
    """The new leader waits as long as another host answers for the address."""
    scenario.managers[0].end(signal.SIGKILL)
    scenario.contenders[0].hand_over(scenario.contenders[1])
    wait_until(lambda: scenario.managers[1].address()["conflicts"] > 0)
    scenario.managers[0].begin()
    scenario.moved_to(1)
    scenario.end(most=SOON)
