"""A real cluster, and reads over the standbys of a database that PAF runs, through thick and thin.

The tests of a cluster with a configuration begin as the one before them has left it: with one
primary, two standbys that stream, and both in the pool.
"""

from __future__ import annotations

import time

import pytest
from lvsdr.cluster import Role

from tests.cluster import postgres
from tests.cluster.clients import Clients, spread
from tests.cluster.cluster import Cluster
from tests.cluster.views import (
    can_be_promoted,
    in_role,
    pool,
    pool_watched,
    primary,
    replicates,
    standbys,
)
from tests.cluster.waiting import wait_until

PATIENCE = 600.0  # seconds; a busy machine takes minutes for a failover


@pytest.fixture(scope="module")
def replicated(cluster: Cluster) -> Cluster:
    """The cluster with PostgreSQL under PAF, and its reads balanced."""
    cluster.install_databases()
    cluster.configure("roles")
    return cluster


@pytest.fixture
def reads(replicated: Cluster) -> Cluster:
    """The same, when both standbys serve: whatever happened before has been got over."""
    wait_until_both_serve(replicated)
    return replicated


def wait_until_both_serve(cluster: Cluster) -> None:
    cluster.wait_for(replicates, "one primary and two standbys", PATIENCE)
    names = [machine.name for machine in standbys(cluster)]
    wait_until(
        lambda: pool(cluster), lambda seen: seen == dict.fromkeys(names, 1), "the pool", PATIENCE
    )


def test_three_nodes_form_a_cluster(cluster: Cluster) -> None:
    assert set(cluster.state().nodes) == {"node1", "node2", "node3"}
    quorum = cluster.node3.run(["corosync-quorumtool", "-s"], check=False).stdout
    assert "Quorate:          Yes" in quorum


def test_reads_land_on_both_standbys(reads: Cluster) -> None:
    names = [machine.name for machine in standbys(reads)]
    postgres.wait_for_standbys(primary(reads), *names)
    assert spread(reads.client, 6) == dict.fromkeys(names, 3)


def test_a_standby_that_loses_its_power_leaves_the_pool_and_comes_back(reads: Cluster) -> None:
    lost, kept = sorted(standbys(reads), key=lambda machine: machine.name == director(reads))
    with Clients(reads.client) as clients:
        on_kept = [session for session in clients.sessions if session.server == kept.name]
        assert on_kept
        lost.crash()
        gone = lambda seen: seen == {kept.name: 1}  # noqa: E731
        wait_until(lambda: pool(reads), gone, f"{lost.name} leaves the pool", PATIENCE)
        since = time.monotonic()
        lost.start()
        wait_until_both_serve(reads)
        assert all(session.alive for session in on_kept)
        wait_until(
            lambda: clients.servers_since(since),
            lambda seen: seen[lost.name] and seen[kept.name],
            "new connections land on both",
            PATIENCE,
        )
    print(clients)


def test_the_pool_is_never_empty_while_the_primary_is_recovered(reads: Cluster) -> None:
    with Clients(reads.client) as clients, pool_watched(reads) as seen:
        postgres.kill(primary(reads))
        reads.wait_for(lambda state: not replicates(state), "the failure is noticed", PATIENCE)
        wait_until_both_serve(reads)
    assert all(weights and sum(weights.values()) for weights in seen), seen
    print(clients, seen)


def test_the_pool_is_never_empty_while_another_becomes_the_primary(reads: Cluster) -> None:
    former = primary(reads)
    reads.wait_for(
        lambda state: len(can_be_promoted(state)) == 3, "both standbys could take over", PATIENCE
    )
    with Clients(reads.client) as clients, pool_watched(reads) as seen:
        former.crash()
        reads.wait_for(
            lambda state: replicates(state, 1) and in_role(state, Role.PROMOTED) != [former.name],
            "another is the primary",
            PATIENCE,
        )
        (standby,) = standbys(reads)
        left = {standby.name: 1}
        wait_until(lambda: pool(reads), lambda weights: weights == left, "the pool", PATIENCE)
    assert all(weights and sum(weights.values()) for weights in seen), seen
    print(clients, seen)
    reads.rebuild_database(former)
    former.start()
    wait_until_both_serve(reads)


def director(cluster: Cluster) -> str:
    """Return the name of the node that balances."""
    (name,) = in_role(cluster.state(), Role.STARTED, "lvsdr")
    return name
