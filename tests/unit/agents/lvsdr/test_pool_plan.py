"""The decisions of one cycle."""

from __future__ import annotations

import pytest
from lvsdr.agents.lvsdr.parameter_rules import PARAMETERS
from lvsdr.agents.lvsdr.pool_plan import (
    OwnInstance,
    explain_ignorance,
    find_hands_off_reason,
    is_certain,
    plan_pool,
)
from lvsdr.agents.lvsdr.settings import DirectorSettings, read_settings
from lvsdr.ipvs.table import RealServer, RealServerConfig, RealServerKey, Service, ServiceConfig
from lvsdr.pacemaker.cluster import ClusterState, Instance, Node, NodeKind, Role
from lvsdr.pool.change_messages import Row
from lvsdr.pool.director import Decision, Findings
from lvsdr.pool.model import Located, Outcome, Verdict

KEY = RealServerKey("10.77.0.11", 5432)


def meant(**given: str) -> DirectorSettings:
    """Return the settings of these parameters, added to a legal minimum."""
    texts = {"vip": "10.9.0.20", "port": "5432", **given}
    environ = {f"OCF_RESKEY_{name}": text for name, text in texts.items()}
    return read_settings(PARAMETERS.parse(environ))


def row(outcome: Outcome, before: int | None, after: int | None) -> Row:
    return Row("node1", KEY, 1, Verdict(outcome, "so"), before, after)


@pytest.mark.parametrize(
    ("rows", "certain"),
    [
        ([row(Outcome.UNKNOWN, 1, 1), row(Outcome.FAILED, 1, None)], True),
        ([row(Outcome.IN, 1, 2)], True),
        ([row(Outcome.IN, None, 1)], False),  # a fallback that would be added too early
        ([row(Outcome.WITHDRAWN, 1, 1)], False),
        ([row(Outcome.UNKNOWN, None, None), row(Outcome.FAILED, 1, None)], False),
        ([], False),
    ],
)
def test_an_early_decision_is_certain_if_a_server_keeps_serving(
    rows: list[Row], certain: bool
) -> None:
    assert is_certain(Decision({}, {}, tuple(rows), ())) is certain


def server(outcome: Outcome, address: str | None = "10.77.0.1") -> Located:
    return Located("node1", address, 1, Verdict(outcome, "so"))


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (Findings((), (), {}), None),
        (Findings((), (), {}, unavailable_reason="crm_mon: no"), "crm_mon: no"),
        (Findings([server(Outcome.IN)], (), {}), None),
        (Findings([server(Outcome.FAILED)], (), {}), None),
        (Findings([server(Outcome.WITHDRAWN, None)], (), {}), None),
        (Findings([server(Outcome.UNKNOWN)], (), {}), "node1: so"),
        (Findings([server(Outcome.UNKNOWN, None), server(Outcome.IN)], (), {}), None),
        (Findings([server(Outcome.UNKNOWN), server(Outcome.FAILED)], (), {}), None),
        (Findings([server(Outcome.UNKNOWN, None), server(Outcome.FAILED)], (), {}), "node1: so"),
    ],
)
def test_ignorance_has_a_reason_unless_a_server_is_known(
    judged: Findings, reason: str | None
) -> None:
    assert explain_ignorance(judged) == reason


def test_the_plan_for_a_missing_service_adds_all_servers() -> None:
    wanted = meant(weight_of_realservers="10.77.0.11,3", virtual_service_options="-s wrr -p 60")
    judged = Findings([server(Outcome.IN, KEY.address)._replace(weight=3)], (), {})
    planned = plan_pool(wanted, judged, None, {}, 0.0)
    assert planned.wanted.config == ServiceConfig("wrr", 60)
    assert planned.wanted.real_servers == {KEY: RealServerConfig("gate", 3)}


def test_the_plan_for_a_present_service_changes_a_weight() -> None:
    service = Service(ServiceConfig("rr"), {KEY: RealServer(RealServerConfig("gate", 7))})
    judged = Findings([server(Outcome.IN, KEY.address)._replace(weight=3)], (), {})
    planned = plan_pool(meant(), judged, service, {}, 0.0)
    (row,) = planned.decision.rows
    assert (row.weight_before, row.weight_after) == (7, 3)


def cluster(*instances: Instance, maintenance: bool = False) -> ClusterState:
    """Return a cluster of node1 and node2 with a resource named lvs."""
    nodes = {
        name: Node(
            name,
            NodeKind.MEMBER,
            online=True,
            standby=False,
            maintenance=maintenance,
            unclean=False,
            pending=False,
            shutdown=False,
        )
        for name in ("node1", "node2")
    }
    return ClusterState(nodes, {"lvs": instances}, {})


def instance(node: str, managed: bool) -> Instance:
    return Instance(node, Role.STARTED, active=True, failed=False, blocked=False, managed=managed)


@pytest.mark.parametrize(
    ("state", "own", "reason"),
    [
        (cluster(instance("node1", True)), OwnInstance("lvs", "node1"), None),
        (cluster(instance("node1", False)), OwnInstance("lvs", "node1"), "lvs is unmanaged"),
        (cluster(instance("node1", False)), OwnInstance("lvs", None), "lvs is unmanaged"),
        (cluster(instance("node2", False)), OwnInstance("lvs", "node1"), None),
        (cluster(instance("node1", False)), OwnInstance("other", "node1"), None),
        (
            cluster(instance("node1", True), maintenance=True),
            OwnInstance("lvs", "node1"),
            "node node1 is in maintenance",
        ),
        (cluster(maintenance=True), OwnInstance("lvs", None), None),
    ],
)
def test_an_unmanaged_resource_is_left_to_the_administrator(
    state: ClusterState, own: OwnInstance, reason: str | None
) -> None:
    assert find_hands_off_reason(state, own) == reason
