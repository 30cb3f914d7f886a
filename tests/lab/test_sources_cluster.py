"""Real servers selected by list, resources and attributes, each alone and all together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.lab.director import PRIMARY, STANDBY2, STANDBY3, Director, Weights
from tests.lab.world import World
from tests.support.paths import DATA

RECORDED = DATA / "cib" / "steady.cib.xml"

# Without drain_timeout and with an empty pool allowed, one cycle shows the final pool.
POLICY = {"virtual_service_options": "-s wrr", "drain_timeout": 0, "on_empty": "empty"}

NODES = (
    PRIMARY,
    STANDBY2._replace(status="HS:sync", attributes={"ready": "1", "data": "10.77.0.21"}),
    STANDBY3._replace(status="HS:alone", attributes={"ready": "10", "data": "node3"}),
)


class Case(NamedTuple):
    """Parameters without their prefix `realserver_`, and the expected weights."""

    name: str
    parameters: dict[str, str]
    weights: Weights


CLONE = {"dependent_resource": "lvsdr-realsvr-clone"}
DATABASE = {"dependent_resource": "pgsql-clone"}
STATUS = {"dependent_attribute_name": "pgsql-status"}
SYNC = {**STATUS, "dependent_attribute_value": "HS:sync|HS:potential"}
ANY_STANDBY = {**STATUS, "dependent_attribute_value": "HS:.*"}
LISTED = "weight_of_realservers"

CASES = [
    Case("nothing, so all members", {}, {"node1": 1, "node2": 1, "node3": 1}),
    Case("list", {LISTED: "node1,3 node3"}, {"node1": 3, "node3": 1}),
    Case("list with addresses", {LISTED: "10.77.0.22 node1,2"}, {"node2": 1, "node1": 2}),
    Case("clone", CLONE, {"node2": 1, "node3": 1}),
    Case("promotable, any role", DATABASE, {"node1": 1, "node2": 1, "node3": 1}),
    Case("promoted", {**DATABASE, "dependent_role": "Promoted"}, {"node1": 1}),
    Case("unpromoted", {**DATABASE, "dependent_role": "Unpromoted"}, {"node2": 1, "node3": 1}),
    Case("attribute", SYNC, {"node2": 1}),
    Case("attribute, by default 1", {"dependent_attribute_name": "ready"}, {"node2": 1}),
    Case("only a part matches", {**STATUS, "dependent_attribute_value": "HS"}, {}),
    Case("clone, attribute", {**CLONE, **SYNC}, {"node2": 1}),
    Case(
        "unpromoted, attribute",
        {**DATABASE, **STATUS, "dependent_role": "Unpromoted", "dependent_attribute_value": ".*e"},
        {"node3": 1},
    ),
    Case("list, attribute", {LISTED: "node1,2 node3,2", **ANY_STANDBY}, {"node3": 2}),
    Case("list, clone", {LISTED: "node1,9 node3,4", **CLONE}, {"node2": 1, "node3": 4}),
    Case(
        "list, clone, attribute",
        {LISTED: "node1,9 node2,3 node3,2", **CLONE, **ANY_STANDBY},
        {"node2": 3, "node3": 2},
    ),
    # The address attribute of node2 is the address of node1. The one of node1 does not exist.
    Case("address attribute", {"address_attribute": "data"}, {"node1": 1, "node3": 1}),
    Case("none is nothing", {**CLONE, LISTED: "none"}, {"node2": 1, "node3": 1}),
]

# node2 is the primary and runs the primitive; the group runs on node1.
RECORDED_CASES = [
    Case("primitive", {"dependent_resource": "solo"}, {"node2": 1}),
    Case("group", {"dependent_resource": "grp"}, {"node1": 1}),
    Case("clone", CLONE, {"node1": 1, "node3": 1}),
    Case("promoted", {**DATABASE, "dependent_role": "Promoted"}, {"node2": 1}),
    Case("clone, attribute", {**CLONE, **ANY_STANDBY}, {"node1": 1, "node3": 1}),
]


@pytest.fixture(scope="module")
def director(standing_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Director]:
    """Yield a director that is started once. Each case changes its parameters."""
    standing_world.reset()
    director = Director(standing_world, tmp_path_factory.mktemp("sources"))
    director.cluster(*NODES)
    director.start(POLICY)
    yield director
    director.stop()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sources(director: Director, case: Case) -> None:
    director.cluster(*NODES)
    assert_served_by(director, case)


@pytest.mark.parametrize("case", RECORDED_CASES, ids=lambda case: case.name)
def test_sources_of_a_recorded_cluster(director: Director, case: Case) -> None:
    director.recorded(RECORDED)
    assert_served_by(director, case)


def assert_served_by(director: Director, case: Case) -> None:
    """Assert that the weights are as expected, and that connections land accordingly."""
    parameters = {
        name if name == LISTED else f"realserver_{name}": value
        for name, value in case.parameters.items()
    }
    # A stopped resource may only be out of sight, so its real server stays with weight 0.
    weights = director.reload({**POLICY, **parameters})
    assert {host: weight for host, weight in weights.items() if weight} == case.weights
    rounds = 2
    expected = {host: rounds * weight for host, weight in case.weights.items()}
    assert director.client.spread(sum(expected.values())) == expected
