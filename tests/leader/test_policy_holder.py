"""Two nodes, one address, and a real etcd with a lease on the leader's key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lvsdr.leader.gate import LeaderPolicy, Unreachable
from lvsdr.leader.settings import GivenSettings

from tests.leader.etcd import KEY, Cluster
from tests.leader.network import Host
from tests.leader.policy_holder import PolicyHolder, holding
from tests.leader.store_queries import open_store
from tests.support.processes import with_variables
from tests.support.waiting import wait_until

LEASE = "5"  # seconds; etcdctl renews it every third of it
POLICY = LeaderPolicy(grace=2.0)


@pytest.fixture
def leased(etcd: Cluster, hosts: dict[str, Host]) -> Iterator[Cluster]:
    """Yield the store with node1's key under a lease that node1 renews."""
    said = etcd.ctl("lease", "grant", LEASE)
    number = said.split()[1]
    etcd.ctl("put", KEY, "node1", "--lease", number)
    argv = ["etcdctl", "--endpoints", ",".join(etcd.endpoints), "lease", "keep-alive", number]
    renewing = hosts["node1"].start(argv, env=with_variables({"ETCDCTL_API": "3"}))
    yield etcd
    renewing.close()


@pytest.fixture
def nodes(
    leased: Cluster, hosts: dict[str, Host], policy: LeaderPolicy
) -> Iterator[list[PolicyHolder]]:
    """Yield holders: node1 has the address, node2 waits. The cable of node1 is in at the end."""
    given = GivenSettings(endpoints=",".join(leased.endpoints), key=KEY)
    first, second = hosts["node1"], hosts["node2"]
    with holding(first, open_store("etcd", given, "node1"), policy) as one:
        with holding(second, open_store("etcd", given, "node2"), policy) as two:
            wait_until(lambda: one.up)
            assert not two.up
            yield [one, two]
        first.plug()


def elect_node2(etcd: Cluster) -> None:
    """Write node2 into the key as soon as it is free."""
    wait_until(lambda: etcd.ctl("get", KEY) == "")
    etcd.put("node2")


@pytest.mark.parametrize("policy", [POLICY], ids=["release"])
def test_the_leader_is_cut_off(
    nodes: list[PolicyHolder], leased: Cluster, hosts: dict[str, Host]
) -> None:
    one, two = nodes
    hosts["node1"].unplug("front")
    elect_node2(leased)
    wait_until(lambda: two.up)
    assert not one.up
    assert one.changes[1] < two.changes[0]


@pytest.mark.parametrize("policy", [POLICY], ids=["release"])
def test_the_leader_hands_over(nodes: list[PolicyHolder], leased: Cluster) -> None:
    one, two = nodes
    leased.put("node2")
    wait_until(lambda: two.up)
    assert one.changes[1] < two.changes[0]


@pytest.mark.parametrize("policy", [POLICY._replace(unreachable=Unreachable.KEEP)], ids=["keep"])
def test_keep_allows_two_holders(
    nodes: list[PolicyHolder], leased: Cluster, hosts: dict[str, Host]
) -> None:
    """Both nodes have the address with keep, until the first one learns of the new leader."""
    one, two = nodes
    hosts["node1"].unplug("front")
    elect_node2(leased)
    wait_until(lambda: two.up)
    assert one.up
    hosts["node1"].plug()
    wait_until(lambda: not one.up)
