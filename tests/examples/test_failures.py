"""Reactions of Pacemaker's scheduler to failures, in each configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from lvsdr.pacemaker.cluster import Role

from tests.examples.cluster import (
    ALL,
    DIRECTOR,
    PRIMARY,
    REAL_SERVER,
    Action,
    Cluster,
    start,
    stop,
)


@pytest.mark.parametrize("best", ["node2", "node3"])
def test_a_failover(best: str, cluster: Cluster, director: str) -> None:
    """The best standby is promoted, also on the director's node, and readers are not affected."""
    worst = "node3" if best == "node2" else "node2"
    cluster.prefer(**{best: 1000, worst: 999})
    transition = cluster.react(f"--node-fail={PRIMARY}")
    assert Action("promote", "pgsql", best) in transition.before
    survivors = {"node2", "node3"}
    assert not {action for action in transition.of(*REAL_SERVER[1:]) if action.node in survivors}
    assert not transition.of(*DIRECTOR)
    assert cluster.where("lvsdr-realsvr") == survivors
    assert cluster.only("read-vip") == director
    assert cluster.only("write-vip") == best


def test_the_directors_node_is_lost(cluster: Cluster, director: str, other: str) -> None:
    """The director moves as a whole, first the pool, then the address, to the other standby."""
    transition = cluster.react(f"--node-fail={director}")
    assert transition.keeps_order(start("lvsdr", other), start("read-vip", other))
    assert cluster.where("lvsdr") == cluster.where("read-vip") == {other}


def test_the_director_keeps_away_from_the_primary(
    cluster: Cluster, director: str, other: str
) -> None:
    """The director avoids the primary, even if that node has a slightly higher score."""
    cluster.favour("lvsdr", PRIMARY, 1)
    cluster.react(f"--node-fail={director}")
    assert cluster.only("read-vip") == other
    cluster.react(f"--node-fail={other}")
    assert cluster.only("read-vip") == PRIMARY


@pytest.mark.parametrize("resource", DIRECTOR)
def test_a_part_of_the_director_cannot_start(
    resource: str, cluster: Cluster, director: str, other: str
) -> None:
    cluster.ban(resource, director)
    transition = cluster.react()
    assert transition.keeps_order(
        stop("read-vip", director),
        stop("lvsdr", director),
        start("lvsdr", other),
        start("read-vip", other),
    )
    assert transition.of(*ALL) == transition.of(*DIRECTOR)


def test_no_standby_has_a_database_any_more(cluster: Cluster, director: str) -> None:
    """A director with an empty pool stays on its node."""
    cluster.ban("pgsql", "node2", "node3")
    transition = cluster.react()
    assert not transition.of(*DIRECTOR)
    assert cluster.where("pgsql") == cluster.where("lvsdr-realsvr") == {PRIMARY}
    assert cluster.only("read-vip") == director
    for node in ("node2", "node3"):
        assert transition.keeps_order(stop("lvsdr-realsvr", node), stop("pgsql", node))


def test_without_quorum_everything_stops(cluster: Cluster, director: str) -> None:
    cluster.lose_quorum()
    transition = cluster.react()
    assert [resource for resource in ALL if cluster.where(resource)] == []
    assert not transition.before[Action("demote", "pgsql", PRIMARY)]
    assert transition.keeps_order(stop("read-vip", director), stop("lvsdr", director))


MONITORS: Mapping[str, Mapping[str, int]] = {
    "1-attribute": {"node1": 3000, "node3": 4000},
    "2-list-script": {"node1": 3000, "node3": 4000},
    "3-check-script": {"node1": 3000, "node3": 4000},
    "4-roles": {"node1": 15000, "node3": 16000},
}


@pytest.mark.parametrize("node", ["node1", "node3"])
@pytest.mark.parametrize("name", MONITORS)
def test_a_database_fails(
    name: str, node: str, started: Mapping[str, Cluster], tmp_path: Path
) -> None:
    """A failed database is recovered at once, and the address stays."""
    cluster = started[name].copy(tmp_path / "cluster.xml")
    failure = f"pgsql_monitor_{MONITORS[name][node]}@{node}=1"
    transition = cluster.react(f"--op-inject={failure}")
    assert transition.keeps_order(stop("pgsql", node), start("pgsql", node))
    assert not transition.of("lvsdr-realsvr", *DIRECTOR)


def test_a_primary_that_cannot_start_again(cluster: Cluster) -> None:
    """The real server's address goes with the database."""
    cluster.ban("pgsql", PRIMARY)
    transition = cluster.react()
    promotion = Action("promote", "pgsql", "node2")
    assert stop("lvsdr-realsvr", PRIMARY) in transition.before[promotion]
    assert not transition.of(*DIRECTOR)


@pytest.mark.parametrize("node", ["node1", "node3"])
def test_a_ban_of_the_real_server_does_not_affect_the_database(node: str, cluster: Cluster) -> None:
    cluster.ban("lvsdr-realsvr", node)
    transition = cluster.react()
    assert transition.of(*ALL) <= {stop("lvsdr-realsvr", node)}
    assert cluster.where("pgsql", Role.PROMOTED) == {PRIMARY}


def test_an_address_that_cannot_be_removed(cluster: Cluster, other: str) -> None:
    """An address that cannot be removed stays, the database stops, and no node is fenced."""
    cluster.standby(other)
    cluster.react(f"--op-fail=lvsdr-realsvr_stop_0@{other}=1")
    transition = cluster.react()
    assert transition.before.keys() == {stop("pgsql", other)}


def test_a_director_that_queries_the_primary_starts_after_it(
    started: Mapping[str, Cluster], tmp_path: Path
) -> None:
    """The director of configuration 2 needs the primary: without its answer, a start would fail."""
    cluster = started["2-list-script"].copy(tmp_path / "cluster.xml")
    director = cluster.only("lvsdr")
    cluster.prefer(node2=-1, node3=-1)
    transition = cluster.react(f"--node-fail={PRIMARY}")
    assert not cluster.where("write-vip")
    assert not transition.of(*DIRECTOR)

    (other,) = {"node2", "node3"} - {director}
    cluster.ban("lvsdr", director)
    cluster.react()
    assert not cluster.where("lvsdr")
    cluster.prefer(**{other: 1000})
    transition = cluster.react()
    assert transition.keeps_order(start("write-vip", other), start("lvsdr", other))
