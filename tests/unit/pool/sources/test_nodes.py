"""Verdicts of a source, combined with the state of the node."""

from __future__ import annotations

import pytest
from lvsdr.pacemaker.cluster import Node, NodeKind
from lvsdr.pool.model import Candidate, Outcome, Verdict
from lvsdr.pool.sources.nodes import apply_node_state, judge_node

from tests.unit.crm import state

SAYS = {
    "well": None,
    "remote1": None,
    "guest1": None,
    "on-standby": "withdrawn: node is on standby",
    "standby-onfail": "withdrawn: node is on standby",
    "leaving": "withdrawn: node is shutting down",
    "crashed": "failed: node is unclean",
    "off": "failed: node is offline",
    "joining": "unknown: node is joining the cluster",
    "in-maintenance": "unknown: node is in maintenance",
    "being-upgraded": "unknown: node is in maintenance, without the cluster",
    "without-pacemaker": "unknown: node is joining the cluster",
}


def test_every_state_of_the_recorded_cluster_is_tried() -> None:
    assert set(SAYS) == set(state("nodes").nodes)


@pytest.mark.parametrize("name", SAYS)
def test_node_verdict(name: str) -> None:
    verdict = judge_node(state("nodes").nodes[name])
    assert (verdict and f"{verdict.outcome.value}: {verdict.reason}") == SAYS[name]


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        ({"maintenance", "standby"}, Outcome.UNKNOWN),
        ({"maintenance", "shutdown"}, Outcome.UNKNOWN),
        ({"unclean", "maintenance"}, Outcome.FAILED),
        ({"unclean", "pending"}, Outcome.FAILED),
        ({"pending", "standby"}, Outcome.UNKNOWN),
        ({"offline", "standby"}, Outcome.FAILED),
        ({"offline", "maintenance"}, Outcome.FAILED),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else value.value,
)
def test_of_several_states_the_graver_counts(flags: set[str], outcome: Outcome) -> None:
    node = Node(
        name="node1",
        kind=NodeKind.MEMBER,
        online="offline" not in flags,
        standby="standby" in flags,
        maintenance="maintenance" in flags,
        unclean="unclean" in flags,
        pending="pending" in flags,
        shutdown="shutdown" in flags,
    )
    verdict = judge_node(node)
    assert verdict is not None
    assert verdict.outcome is outcome


def test_leaving_nodes_are_about_to_stop() -> None:
    verdicts = {name: judge_node(node) for name, node in state("nodes").nodes.items()}
    assert {name for name, verdict in verdicts.items() if verdict and verdict.leaving} == {
        "on-standby",
        "standby-onfail",
        "leaving",
    }


def test_an_instance_out_of_sight_on_a_leaving_node_has_stopped() -> None:
    gone = Candidate("leaving", Verdict(Outcome.FAILED, "is not running there", grace=10.0))
    assert apply_node_state(gone, state("nodes")).verdict.grace == 0
    there = gone._replace(host="well")
    assert apply_node_state(there, state("nodes")) == there


@pytest.mark.parametrize(
    ("name", "said", "result"),
    [
        ("well", Outcome.IN, Outcome.IN),
        ("well", Outcome.FAILED, Outcome.FAILED),
        ("on-standby", Outcome.IN, Outcome.WITHDRAWN),
        ("on-standby", Outcome.WITHDRAWN, Outcome.WITHDRAWN),
        # The resource is stopped there, or unknown: that weighs more than the leaving.
        ("on-standby", Outcome.FAILED, Outcome.FAILED),
        ("on-standby", Outcome.UNKNOWN, Outcome.UNKNOWN),
        ("leaving", Outcome.FAILED, Outcome.FAILED),
        ("crashed", Outcome.IN, Outcome.FAILED),
        ("crashed", Outcome.UNKNOWN, Outcome.FAILED),
        ("off", Outcome.WITHDRAWN, Outcome.FAILED),
        ("in-maintenance", Outcome.IN, Outcome.UNKNOWN),
        ("in-maintenance", Outcome.FAILED, Outcome.UNKNOWN),
        ("Off", Outcome.IN, Outcome.FAILED),  # the case of a name means nothing
        ("joining", Outcome.FAILED, Outcome.UNKNOWN),
        # The node may or may not be joining, but its resources have been stopped.
        ("without-pacemaker", Outcome.IN, Outcome.UNKNOWN),
        ("without-pacemaker", Outcome.FAILED, Outcome.FAILED),
        ("a-host-elsewhere", Outcome.IN, Outcome.IN),
        ("a-host-elsewhere", Outcome.UNKNOWN, Outcome.UNKNOWN),
    ],
    ids=str,
)
def test_with_node_state(name: str, said: Outcome, result: Outcome) -> None:
    judged = apply_node_state(Candidate(name, Verdict(said, "said so")), state("nodes"))
    assert judged.host == name
    assert judged.verdict.outcome is result


@pytest.mark.parametrize("cib", ["stale-entry-first", "stale-entry-last"])
def test_a_stale_entry_takes_nothing_from_the_node_that_is_online(cib: str) -> None:
    assert judge_node(state(cib).nodes["node2"]) is None


def test_nothing_is_known_of_a_name_that_two_nodes_have() -> None:
    verdict = judge_node(state("two-online-entries").nodes["node2"])
    assert verdict == Verdict(Outcome.UNKNOWN, "several nodes of this name are online")
