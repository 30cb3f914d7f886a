"""The source that names the candidates, and its combination with the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.model import PoolSpec, Script, WantedRole
from lvsdr.pool.sources import SOURCES, choose_source, query_sources
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC, attribute, program, shell, told

DOCUMENTED = attribute("pgsql-status", "HS:sync|HS:potential|HS:async")
EXAMPLE_1 = SPEC._replace(resources=("lvsdr-realsvr-clone",), attribute=DOCUMENTED)
LISTED = {"node1": 3, "node2": None, "10.77.0.14": 2}
SCRIPT = Script(("/bin/echo", "node2", "10.77.0.14"), 10.0)


def asked(cluster: ClusterState, spec: PoolSpec) -> list[str]:
    """Return one line for each candidate."""
    found = query_sources(cluster, spec, Deadline.after(20.0))
    assert found.unavailable_reason is None
    return told(found.candidates)


@pytest.mark.parametrize(
    ("spec", "source"),
    [
        (SPEC, "members"),
        (SPEC._replace(attribute=DOCUMENTED), "members"),
        (SPEC._replace(check_script=SCRIPT), "members"),
        (SPEC._replace(weights=LISTED), "static"),
        (SPEC._replace(weights=LISTED, attribute=DOCUMENTED), "static"),
        (SPEC._replace(resources=("pgsql-clone",)), "resource"),
        (SPEC._replace(resources=("pgsql-clone",), weights=LISTED), "resource"),
        (SPEC._replace(list_script=SCRIPT), "script"),
        (SPEC._replace(list_script=SCRIPT, resources=("pgsql-clone",), weights=LISTED), "script"),
    ],
)
def test_precedence(spec: PoolSpec, source: str) -> None:
    assert choose_source(spec) == source
    assert source in SOURCES


def test_all_members() -> None:
    assert asked(state("node3-standby"), SPEC) == [
        "node1 in: is a cluster node (member)",
        "node2 in: is a cluster node (member)",
        "node3 withdrawn: node is on standby",
    ]


def test_the_static_list() -> None:
    assert asked(state("node3-crashed"), SPEC._replace(weights={**LISTED, "node3": 1})) == [
        "node1 in: listed in weight_of_realservers",
        "node2 in: listed in weight_of_realservers",
        "10.77.0.14 in: listed in weight_of_realservers",
        "node3 failed: node is offline",
    ]


def test_the_documented_example_1() -> None:
    assert asked(state("steady"), EXAMPLE_1) == [
        "node1 in: lvsdr-realsvr-clone is Started, pgsql-status is HS:async",
        "node2 failed: lvsdr-realsvr-clone is not running there",
        "node3 in: lvsdr-realsvr-clone is Started, pgsql-status is HS:async",
    ]


@pytest.mark.parametrize(
    ("cib", "node3"),
    [
        ("node3-standby", "failed: lvsdr-realsvr-clone is not running there"),
        ("node3-maintenance", "unknown: node is in maintenance"),
        ("node3-crashed", "failed: node is offline"),
    ],
)
def test_example_1_with_trouble_on_node3(cib: str, node3: str) -> None:
    assert asked(state(cib), EXAMPLE_1)[2] == f"node3 {node3}"


def test_weights_do_not_add_candidates_to_those_of_a_resource() -> None:
    assert asked(state("steady"), EXAMPLE_1._replace(weights=LISTED)) == asked(
        state("steady"), EXAMPLE_1
    )


def test_a_static_list_narrowed_by_an_attribute() -> None:
    spec = SPEC._replace(weights=LISTED, attribute=DOCUMENTED)
    assert asked(state("steady"), spec) == [
        "node1 in: listed in weight_of_realservers, pgsql-status is HS:async",
        "node2 withdrawn: pgsql-status is PRI, wanted HS:sync|HS:potential|HS:async",
        "10.77.0.14 withdrawn: is no cluster node, so it has no pgsql-status",
    ]


def test_a_resource_by_role() -> None:
    spec = SPEC._replace(resources=("pgsql-clone",), role=WantedRole.UNPROMOTED)
    assert asked(state("steady"), spec) == [
        "node1 in: pgsql-clone is Unpromoted",
        "node2 withdrawn: pgsql-clone is Promoted, wanted Unpromoted",
        "node3 in: pgsql-clone is Unpromoted",
    ]


def test_the_list_script_is_alone_in_naming_hosts() -> None:
    """The list script alone names hosts; neither resource nor attribute counts then."""
    spec = EXAMPLE_1._replace(list_script=SCRIPT, weights={"node1": 1})
    assert asked(state("steady"), spec) == [
        "node2 in: named by echo",
        "10.77.0.14 in: named by echo",
    ]


def test_a_node_on_standby_is_on_standby_in_every_source() -> None:
    script = Script(("/bin/echo", "node1", "node3"), 10.0)
    assert asked(state("node3-standby"), SPEC._replace(list_script=script)) == [
        "node1 in: named by echo",
        "node3 withdrawn: node is on standby",
    ]


def test_the_check_script_replaces_the_attribute() -> None:
    spec = EXAMPLE_1._replace(check_script=SCRIPT)
    assert asked(state("failover/02251ms"), spec)[1:] == [
        "node2 in: lvsdr-realsvr-clone is Started",
        "node3 in: lvsdr-realsvr-clone is Started",
    ]


def test_a_list_that_is_empty_is_an_answer() -> None:
    assert asked(state("steady"), SPEC._replace(list_script=shell("true"))) == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (SPEC._replace(resources=("typo",)), "the cluster has no resource typo"),
        (SPEC._replace(list_script=shell("exit 9")), "sh: exit status 9"),
        (SPEC._replace(list_script=shell("echo -C")), "sh printed '-C', which is not a host"),
    ],
    ids=["resource", "status", "output"],
)
def test_a_source_that_does_not_answer(spec: PoolSpec, reason: str) -> None:
    """A source that does not answer leaves the cluster's knowledge of its nodes.

    node3 is offline.
    """
    found = query_sources(
        state("node3-crashed"), spec._replace(weights={"10.77.0.14": 1}), Deadline.after(20.0)
    )
    assert found.unavailable_reason == reason
    assert told(found.candidates) == [
        f"node1 unknown: {reason}",
        f"node2 unknown: {reason}",
        "node3 failed: node is offline",
        f"10.77.0.14 unknown: {reason}",
    ]


def test_a_named_node_on_standby_stays_without_an_answer() -> None:
    found = query_sources(
        state("node3-standby"), SPEC._replace(list_script=shell("exit 1")), Deadline.after(20.0)
    )
    assert told(found.candidates)[2] == "node3 unknown: sh: exit status 1"


def test_a_name_that_only_looks_like_a_node(tmp_path: Path) -> None:
    """A name in another case is the same node; a name with a domain is another host."""
    script = program(tmp_path, "print('Node3 node3.example.com')")
    assert asked(state("node3-crashed"), SPEC._replace(list_script=script)) == [
        "Node3 failed: node is offline",
        "node3.example.com in: named by script",
    ]


def test_a_node_name_may_contain_a_blank() -> None:
    steady = state("steady")
    node = steady.nodes["node1"]._replace(name="db 1")
    cluster = steady._replace(
        nodes={"db 1": node}, attributes={"db 1": {"pgsql-status": "HS:async"}}
    )
    assert asked(cluster, SPEC._replace(attribute=DOCUMENTED)) == [
        "db 1 in: is a cluster node (member), pgsql-status is HS:async"
    ]
