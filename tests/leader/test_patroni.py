"""A real Patroni's REST API, and the key that it keeps in a real etcd."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from lvsdr import leader
from lvsdr.leader.gate import Answer, Leadership, State
from lvsdr.leader.settings import GivenSettings

from tests.leader.etcd import Cluster
from tests.leader.network import Host
from tests.leader.patroni import PORT, SCOPE, Patroni, running
from tests.leader.store_queries import StoreFollower, following, open_store, query_store
from tests.support.waiting import wait_until

KEY = f"/service/{SCOPE}/leader"


@pytest.fixture(scope="module")
def patroni(hosts: dict[str, Host], standing_etcd: Cluster) -> Iterator[Patroni]:
    """Yield two members; one leads, and the other follows."""
    with running([hosts["node1"], hosts["node2"]], standing_etcd) as made:
        yield made


@pytest.fixture
def store(standing_etcd: Cluster) -> Iterator[Cluster]:
    """Yield the store of Patroni's key, and mend it after the test."""
    yield standing_etcd
    standing_etcd.mend()


def own(host: Host, path: str = "/leader", status: str | None = None) -> leader.Store:
    """Return the store that queries the Patroni of this host."""
    given = GivenSettings(endpoints=f"{host.front}:{PORT}", key=path, value=status)
    return open_store("patroni", given, host.name)


def said(host: Host, path: str = "/leader", status: str | None = None) -> Leadership:
    return query_store(host, own(host, path, status)).leadership


def keyed(etcd: Cluster, host: Host) -> leader.Store:
    """Return the store that reads the key of that Patroni."""
    return open_store("etcd", GivenSettings(endpoints=",".join(etcd.endpoints), key=KEY), host.name)


def test_the_leader_and_the_replica(patroni: Patroni, standing_etcd: Cluster) -> None:
    first = patroni.leader()
    second = patroni.other(first)
    for path in ("/leader", "/primary", "/read-write", "/"):
        assert said(first, path).state is State.LEADER
        found = said(second, path)
        assert (found.state, found.leader) == (State.FOLLOWER, first.name)
    assert query_store(first, keyed(standing_etcd, first)).leadership.state is State.LEADER
    found = query_store(second, keyed(standing_etcd, second)).leadership
    assert (found.state, found.leader) == (State.FOLLOWER, first.name)


@pytest.mark.parametrize("path", ["/replica", "/replica?lag=10MB", "/asynchronous?lag=1MB"])
def test_an_address_of_the_replicas(patroni: Patroni, path: str) -> None:
    first = patroni.leader()
    assert said(patroni.other(first), path).state is State.LEADER
    assert said(first, path).state is State.FOLLOWER


def test_another_status(patroni: Patroni) -> None:
    first = patroni.leader()
    assert said(first, "/replica", "503").state is State.LEADER
    assert said(patroni.other(first), "/replica", "503").state is State.FOLLOWER


def test_of_several_endpoints_only_those_here_count(
    patroni: Patroni, hosts: dict[str, Host]
) -> None:
    first = patroni.leader()
    endpoints = [f"{host.front}:{PORT}" for host in patroni.hosts]
    for host, order in itertools.product(patroni.hosts, (endpoints, endpoints[::-1])):
        store = open_store("patroni", GivenSettings(endpoints=",".join(order)), host.name)
        wanted = State.LEADER if host is first else State.FOLLOWER
        assert query_store(host, store).leadership.state is wanted
    stranger = open_store("patroni", GivenSettings(endpoints=",".join(endpoints)))
    found = query_store(hosts["etcd1"], stranger).leadership
    assert found.state is State.UNKNOWN
    assert "not on this host" in found.reason


def test_a_switchover(patroni: Patroni, standing_etcd: Cluster) -> None:
    """API and key agree on both hosts; the key never names two leaders at a time."""
    first = patroni.leader()
    second = patroni.other(first)
    with ExitStack() as stack:
        old, old_key, new, new_key = (
            stack.enter_context(following(host, store))
            for host in (first, second)
            for store in (own(host), keyed(standing_etcd, host))
        )
        wait_until(lambda: old.says(State.LEADER) and old_key.says(State.LEADER))
        wait_until(lambda: new.says(State.FOLLOWER) and new_key.says(State.FOLLOWER))
        patroni.switch_over()
        wait_until(lambda: new.says(State.LEADER) and new_key.says(State.LEADER))
        wait_until(lambda: old.says(State.FOLLOWER) and old_key.says(State.FOLLOWER))
    assert old_key.answers[-1].leadership.leader == second.name
    assert max(led(old_key), key=asked_at).queried_at < min(led(new_key), key=asked_at).answered_at
    assert patroni.leader() is second


def led(followed: StoreFollower) -> list[Answer]:
    """Return the answers by which the host led."""
    return [each for each in followed.answers if each.leadership.state is State.LEADER]


def asked_at(answer: Answer) -> float:
    return answer.queried_at


def test_a_leader_without_its_store_steps_down(patroni: Patroni, store: Cluster) -> None:
    first = patroni.leader()
    for index in range(3):
        store.kill(index)
    wait_until(lambda: said(first).state is State.FOLLOWER)
    store.mend()
    patroni.leader()


def test_failsafe_mode_is_believed(patroni: Patroni, store: Cluster) -> None:
    """A leader in failsafe mode continues without its store while it reaches all members."""
    patroni.turn_failsafe_on()
    first = patroni.leader()
    second = patroni.other(first)
    for index in range(3):
        store.kill(index)
    wait_until(lambda: patroni.status(first).get("failsafe_mode_is_active"))
    assert said(first).state is said(first, "/primary").state is State.LEADER
    assert said(second).state is State.FOLLOWER
    assert query_store(first, keyed(store, first), 2).leadership.state is State.UNKNOWN
    store.mend()
    wait_until(lambda: not patroni.status(first).get("failsafe_mode_is_active"))
    assert patroni.leader() is first


def test_patroni_is_gone(patroni: Patroni) -> None:
    """A member without Patroni holds no lease, although its database may still run."""
    second = patroni.other(patroni.leader())
    patroni.processes[second.name].kill(9)
    patroni.processes[second.name].wait()
    assert said(second).state is State.STOPPED
