"""Drills with a remote node as a real server: losing only its connection stops nothing on it.

The configuration is remote.sh, beside this file. Its director has a monitor every second. Bounds
are as in test_drills.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.cluster import foreign_service, remote_node
from tests.cluster.addresses import NODES, REMOTE
from tests.cluster.cluster import Cluster
from tests.cluster.drill import Drill
from tests.cluster.node import Node
from tests.cluster.observed_state import DATABASE, directors, never_empty, pool
from tests.cluster.operation_history import History
from tests.cluster.report import Report
from tests.cluster.timeouts import PAUSE
from tests.support.waiting import wait_until

OUT, BACK = 12, 60  # intervals: until the server gets no new connections; until it serves again
RECONNECTED = 24  # until another member has the connection
GAP = 5  # without any successful new connection


@pytest.fixture(scope="module")
def connected(cluster: Cluster) -> Cluster:
    """Return the cluster with a remote node."""
    remote_node.configure(cluster)
    return cluster


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, connected: Cluster, reports: list[Report]
) -> Iterator[Drill]:
    """Yield a drill that begins when all four serve, with a session on each of them."""
    remote_node.recover(connected)
    name = request.node.name[len("test_") :].replace("_", " ")
    with Drill(name, connected) as drill:
        assert {session.server for session in drill.clients.sessions} == {*NODES, REMOTE}
        yield drill
        reports.append(drill.report())
        print("", reports[-1], *drill.seen, *drill.clients.failures, sep="\n")
    assert foreign_service.untouched(connected.nodes)
    assert len(directors(connected)) == 1


# A resource is out of sight while it is probed, for a second or less: the director may miss it.
TIMES = 4

# Resource to refresh, options of crm_resource(8), and the nodes where it is probed again.
REFRESHES = {
    "its_connection": (REMOTE, (), NODES),
    "its_database": (DATABASE, ("--node", REMOTE), (REMOTE,)),
}


@pytest.mark.parametrize(("resource", "options", "places"), REFRESHES.values(), ids=REFRESHES)
def test_a_refresh_of_a_remote_node(
    drill: Drill, resource: str, options: Sequence[str], places: Sequence[str]
) -> None:
    cluster, history = drill.cluster, History(drill.cluster.nodes)
    probes = {(name, "probe", resource.removesuffix("-clone")) for name in places}
    drill.happens()
    for _ in range(TIMES):
        refreshed = History(cluster.nodes)
        cluster.node1.run(["crm_resource", "--refresh", "--resource", resource, *options])
        wait_until(
            refreshed.done,
            lambda done: probes <= {each[:3] for each in done},
            f"{resource} is probed again",
            remote_node.PATIENCE,
            pause=PAUSE,
        )
    drill.lap("probed")
    cluster.settle()
    remote_node.wait_until_whole(cluster)
    assert drill.lap("whole").intervals < BACK
    assert always_in_pool(drill)
    assert history.changes() == []
    assert not drill.clients.failures
    assert not drill.clients.broken()


@pytest.mark.parametrize("lose", [Node.crash, Node.cut_off], ids=["crashes", "is_cut_off"])
def test_the_member_that_holds_a_connection(drill: Drill, lose: Callable[[Node], None]) -> None:
    cluster, lost = drill.cluster, remote_node.holder(drill.cluster)
    rest = remote_node.WHOLE.keys() - {lost.name}
    drill.happens()
    lose(lost)
    reconnected = drill.wait_for_state(
        "reconnected",
        lambda state: remote_node.connected(state) not in ([], [lost.name]),
        seen_by=next(node for node in cluster.nodes if node is not lost),
    )
    assert reconnected.intervals < RECONNECTED
    assert drill.wait_for_pool("pool", *rest).intervals < RECONNECTED
    assert drill.failing().intervals < OUT
    assert always_in_pool(drill)
    assert drill.gap() < GAP
    assert set(drill.clients.broken()) == {lost.name}
    # A member that returns may bring a failed connection of its own. Pacemaker then has two, and
    # the remote node is unclean until both are stopped.
    drill.happens()
    remote_node.recover(cluster)
    assert drill.lap("back").intervals < BACK


def test_a_remote_node_crashes(drill: Drill) -> None:
    drill.happens()
    drill.cluster.outside.crash()
    rest = dict.fromkeys(NODES, 1)
    gone = drill.wait_for("gone", lambda: pool(drill.cluster), lambda seen: seen == rest)
    assert gone.intervals < RECONNECTED
    assert drill.failing().intervals < OUT
    assert never_empty(drill.seen)
    assert set(drill.clients.broken()) == {REMOTE}


def always_in_pool(drill: Drill) -> bool:
    """Return whether the remote node was a real server in each pool of the drill."""
    return all(REMOTE in (weights or {}) for weights in drill.seen)
