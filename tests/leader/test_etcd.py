"""Three real members of etcd, and their faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from lvsdr import leader
from lvsdr.leader.gate import Leadership, State
from lvsdr.leader.settings import GivenSettings
from lvsdr.system.net.first_answer import Bell

from tests.leader.etcd import KEY, Cluster
from tests.leader.network import Host
from tests.leader.store_queries import StoreWait, following, query_store
from tests.leader.store_queries import open_store as opened_store
from tests.support.waiting import PATIENCE, wait_until

MEMBERS = (0, 1, 2)


def opened(endpoints: Sequence[str], node: str = "node1") -> leader.Store:
    return opened_store("etcd", GivenSettings(endpoints=",".join(endpoints), key=KEY), node)


def state(host: Host, endpoints: Sequence[str], node: str = "node1", seconds: float = 5) -> State:
    return query_store(host, opened(endpoints, node), seconds).leadership.state


@pytest.fixture
def node(hosts: dict[str, Host]) -> Host:
    return hosts["node1"]


def test_the_store_names_the_leader(etcd: Cluster, node: Host) -> None:
    def ask(name: str) -> Leadership:
        return query_store(node, opened(etcd.endpoints, name)).leadership

    assert (ask("node1").state, ask("node1").leader) == (State.LEADER, "node1")
    assert (ask("node2").state, ask("node2").leader) == (State.FOLLOWER, "node1")
    assert ask("node").state is ask("NODE1").state is State.FOLLOWER
    etcd.delete()
    assert ask("node1").state is State.NO_LEADER
    etcd.ctl("put", f"{KEY}s", "node1")
    assert ask("node1").state is State.NO_LEADER
    etcd.ctl("put", KEY, "")
    assert ask("node1").state is State.NO_LEADER


def test_a_change_ends_the_wait(etcd: Cluster, node: Host) -> None:
    store = opened(etcd.endpoints)
    changes: list[Callable[[], None]] = [
        lambda: etcd.put("node2"),
        etcd.delete,
        lambda: etcd.put("node1"),
    ]
    for change in changes:
        before = query_store(node, store)
        waiting = StoreWait(node, store)
        change()
        assert waiting.over()
        assert query_store(node, store).leadership != before.leadership


def test_a_change_before_the_wait_is_not_missed(etcd: Cluster, node: Host) -> None:
    store = opened(etcd.endpoints)
    query_store(node, store)
    etcd.put("node2")
    etcd.put("node1")
    assert StoreWait(node, store).over()


def test_a_wait_from_before_a_compaction_ends(etcd: Cluster, node: Host) -> None:
    store = opened(etcd.endpoints)
    query_store(node, store)
    etcd.put("node2")
    etcd.put("node3")
    etcd.compact()
    waiting = StoreWait(node, store)
    assert (waiting.over(), waiting.problem) == (True, "")


def test_a_wait_is_cancelled(etcd: Cluster, node: Host) -> None:
    store, bell = opened(etcd.endpoints), Bell()
    query_store(node, store)
    waiting = StoreWait(node, store, bell)
    bell.stop()
    assert (waiting.over(), waiting.problem) == (True, "")


@pytest.mark.parametrize("index", MEMBERS)
def test_a_member_that_is_cut_off_from_the_others(etcd: Cluster, node: Host, index: int) -> None:
    """A member that is cut off from the others keeps its data, but gives no linearizable answer."""
    alone, others = etcd.endpoints[index], [m for m in MEMBERS if m != index]
    store = opened([alone])
    assert query_store(node, store).leadership.state is State.LEADER
    waiting = StoreWait(node, store)
    etcd.members[index].host.unplug("back")
    etcd.put("node2", others)
    assert waiting.over()
    assert "etcdserver: no leader" in waiting.problem
    answer = query_store(node, store, 2)
    assert answer.leadership.state is State.UNKNOWN
    assert alone in answer.leadership.reason
    everyone = [alone, *(etcd.endpoints[other] for other in others)]
    assert state(node, everyone) is State.FOLLOWER


def test_a_member_that_has_just_been_cut_off(etcd: Cluster, node: Host) -> None:
    """A member that does not know yet that it is cut off must not answer with its old data."""
    index = next(member for member in MEMBERS if member != etcd.leader())
    store = opened([etcd.endpoints[index]])
    assert query_store(node, store).leadership.state is State.LEADER
    etcd.members[index].host.unplug("back")
    etcd.put("node2", [member for member in MEMBERS if member != index])
    assert query_store(node, store, 1).leadership.state is State.UNKNOWN


@pytest.mark.parametrize("index", MEMBERS)
def test_an_unreachable_member_is_passed_over(etcd: Cluster, node: Host, index: int) -> None:
    """The store replaces a member with silent connections by another endpoint.

    It is not the leading member: during an election the store has no answer.
    """
    others = [m for m in MEMBERS if m != index]
    etcd.let_lead(others)
    first = [etcd.endpoints[index], *(etcd.endpoints[other] for other in others)]
    with following(node, opened(first)) as followed:
        wait_until(lambda: followed.says(State.LEADER))
        etcd.members[index].host.unplug("front")
        etcd.members[index].host.unplug("back")
        etcd.put("node2", others)
        wait_until(lambda: followed.says(State.FOLLOWER))
        assert State.UNKNOWN not in {answer.leadership.state for answer in followed.answers}


def test_the_leading_member_dies(etcd: Cluster, node: Host) -> None:
    dead = etcd.leader()
    others = [index for index in MEMBERS if index != dead]
    first = [etcd.endpoints[dead], *(etcd.endpoints[other] for other in others)]
    with following(node, opened(first)) as followed:
        wait_until(lambda: followed.says(State.LEADER))
        etcd.kill(dead)
        etcd.put("node2", others)
        wait_until(lambda: followed.says(State.FOLLOWER))


def test_all_are_gone_and_come_back(etcd: Cluster, node: Host) -> None:
    with following(node, opened(etcd.endpoints)) as followed:
        wait_until(lambda: followed.says(State.LEADER))
        for index in MEMBERS:
            etcd.kill(index)
        wait_until(lambda: followed.says(State.UNKNOWN))
        reason = followed.answers[-1].leadership.reason
        assert all(endpoint in reason for endpoint in etcd.endpoints)
        etcd.mend()
        wait_until(lambda: followed.says(State.LEADER))
        etcd.put("node2")
        wait_until(lambda: followed.says(State.FOLLOWER))


def test_no_member_can_be_reached(etcd: Cluster, node: Host) -> None:
    node.unplug("front")
    answer = query_store(node, opened(etcd.endpoints), 1)
    node.plug()
    assert answer.leadership.state is State.UNKNOWN
    assert answer.answered_at - answer.queried_at < PATIENCE / 2


def test_one_of_several_endpoints_is_something_else(etcd: Cluster, node: Host) -> None:
    peer = f"http://{etcd.members[0].host.back}:2380"
    assert state(node, [peer, *etcd.endpoints]) is State.LEADER
    assert state(node, [peer]) is State.UNKNOWN
