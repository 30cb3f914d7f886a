"""Reactions of Pacemaker's scheduler to an administrator's actions, in each configuration."""

from __future__ import annotations

from pathlib import Path

from lvsdr.pacemaker.cluster import Role

from tests.examples.cluster import (
    DIRECTOR,
    NODES,
    PRIMARY,
    REAL_SERVER,
    Action,
    Cluster,
    start,
    stop,
)
from tests.examples.conftest import Configured


def test_a_cluster_starts_from_the_bottom(configuration: Configured, tmp_path: Path) -> None:
    """Real servers, databases, pool and address start in this order, each after the last one."""
    cluster = configuration.cluster.copy(tmp_path / "cluster.xml")
    first = cluster.react()
    for node in NODES:
        assert first.keeps_order(start("lvsdr-realsvr", node), start("pgsql", node))
    cluster.prefer(node1=1001, node2=1000, node3=990)
    second = cluster.react()
    assert second.keeps_order(Action("promote", "pgsql", PRIMARY), start("write-vip", PRIMARY))
    node = cluster.only("read-vip")
    begun = first if start("lvsdr", node) in first.before else second
    assert begun.keeps_order(start("lvsdr", node), start("read-vip", node))
    if begun is first:
        assert start("pgsql", node) in first.before[start("lvsdr", node)]


def test_all_is_where_it_should_be(cluster: Cluster, director: str) -> None:
    assert cluster.where("pgsql", Role.PROMOTED) == {PRIMARY} == cluster.where("write-vip")
    for resource in REAL_SERVER:
        assert cluster.where(resource) == set(NODES)
    assert cluster.where("lvsdr") == {director} != {PRIMARY}
    assert cluster.react().before == {}


def test_a_standby_on_standby(cluster: Cluster, director: str, other: str) -> None:
    """The standby's sessions end, then PostgreSQL stops; other nodes are not affected."""
    cluster.standby(other)
    transition = cluster.react()
    leaving = [stop(name, other) for name in reversed(REAL_SERVER)]
    assert transition.keeps_order(*leaving)
    assert transition.before.keys() == set(leaving)
    assert cluster.where("pgsql") == {PRIMARY, director}


def test_the_directors_node_on_standby(cluster: Cluster, director: str, other: str) -> None:
    """The sessions on the director's node end before the director, which they depend on, moves."""
    cluster.standby(director)
    transition = cluster.react()
    assert transition.keeps_order(
        stop("lvsdr-realsvr", director),
        stop("read-vip", director),
        stop("lvsdr", director),
        start("lvsdr", other),
        start("read-vip", other),
    )
    assert transition.keeps_order(stop("lvsdr-realsvr", director), stop("pgsql", director))


def test_the_primarys_node_on_standby(cluster: Cluster, director: str) -> None:
    """Readers do not delay the demotion."""
    cluster.standby(PRIMARY)
    transition = cluster.react()
    demotion = Action("demote", "pgsql", PRIMARY)
    assert not transition.before[demotion]
    assert transition.keeps_order(demotion, stop("write-vip", PRIMARY))
    assert transition.keeps_order(*(stop(name, PRIMARY) for name in reversed(REAL_SERVER)))
    assert cluster.where("pgsql", Role.PROMOTED) == cluster.where("write-vip") == {"node2"}
    assert not transition.of(*DIRECTOR)
    assert cluster.only("read-vip") == director


def test_a_switchover(cluster: Cluster) -> None:
    """The new primary keeps the address on lo for its existing sessions."""
    cluster.move_primary("node3")
    transition = cluster.react()
    assert {action.task for action in transition.of("pgsql")} == {"demote", "promote"}
    assert not transition.of("lvsdr-realsvr", *DIRECTOR)
    assert cluster.where("pgsql", Role.PROMOTED) == {"node3"} == cluster.where("write-vip")
    assert cluster.where("lvsdr-realsvr") == set(NODES)


def test_no_standby_is_left(cluster: Cluster) -> None:
    """The director moves to the primary's node, and its preference does not move it back."""
    cluster.standby("node2", "node3")
    cluster.react()
    assert cluster.only("lvsdr") == cluster.only("read-vip") == PRIMARY
    assert cluster.where("lvsdr-realsvr") == {PRIMARY}
    cluster.unstandby("node2", "node3")
    transition = cluster.react()
    assert not transition.of(*DIRECTOR)
    assert cluster.where("lvsdr-realsvr") == set(NODES)


def test_everything_is_stopped(cluster: Cluster, director: str) -> None:
    """The sessions of all nodes end before the director stops."""
    cluster.stop_everything()
    transition = cluster.react()
    for node in ("node2", "node3"):
        assert transition.keeps_order(stop("lvsdr-realsvr", node), stop("read-vip", director))
        assert transition.keeps_order(*(stop(name, node) for name in reversed(REAL_SERVER)))
