"""Weights in node attributes, as the real crm_mon shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.attribute_weights import (
    add_hidden_attributes,
    apply_attribute_weights,
    doubt_hosts_outside,
    list_flaws,
    list_hidden_nodes,
    list_unmatched,
    read_attribute_weights,
)
from lvsdr.pool.model import Located, Outcome, Verdict

from tests.unit.crm import edited, state

NAME = "lvsdr-weight"
OUTSIDE = "10.77.0.99"
FIT = Verdict(Outcome.IN, "fit")
PERMANENT, TRANSIENT = '<instance_attributes id="nodes-{}">', '<instance_attributes id="status-{}">'


def pair(place: str, number: int, name: str, value: str) -> tuple[str, str]:
    """Return the change of a CIB that sets an attribute of node ``number``."""
    section = place.format(number)
    identity = f"{'p' if place == PERMANENT else 't'}-{number}-{abs(hash(name))}"
    return section, f'{section}<nvpair id="{identity}" name="{name}" value="{value}"/>'


def with_values(values: dict[tuple[str, str], str]) -> ClusterState:
    """Return a cluster with these values, by node and attribute."""
    attributes: dict[str, dict[str, str]] = {}
    for (node, name), value in values.items():
        attributes.setdefault(node, {})[name] = value
    return state("steady")._replace(attributes=attributes)


def weighed(cluster: ClusterState, host: str = "node1", verdict: Verdict = FIT) -> Located:
    """Return the real server of a host with its weight; without an attribute it is 7."""
    server = Located(host, "10.77.0.21", 7, verdict)
    (found,) = apply_attribute_weights([server], read_attribute_weights(cluster, NAME))
    return found


@pytest.mark.parametrize("place", [PERMANENT, TRANSIENT])
def test_an_attribute_of_either_kind_gives_the_weight(place: str, tmp_path: Path) -> None:
    cluster = edited("steady", tmp_path, pair(place, 1, NAME, "0"))
    assert weighed(cluster).weight == 0
    assert weighed(cluster).weight_source == "attribute lvsdr-weight"
    assert weighed(cluster).verdict == FIT
    assert weighed(cluster, "node3").weight == 7


def test_the_transient_one_precedes_the_permanent_one(tmp_path: Path) -> None:
    changes = pair(PERMANENT, 1, NAME, "5"), pair(TRANSIENT, 1, NAME, "0")
    assert weighed(edited("steady", tmp_path, *changes)).weight == 0


@pytest.mark.parametrize("place", [PERMANENT, TRANSIENT])
@pytest.mark.parametrize("host", [OUTSIDE, "fd77::99", "standby4.example.org"])
def test_a_host_outside_has_its_weight_in_an_attribute_of_any_node(
    host: str, place: str, tmp_path: Path
) -> None:
    cluster = edited("steady", tmp_path, pair(place, 3, f"{NAME}@{host}", "2"))
    assert weighed(cluster, host).weight == 2
    assert weighed(cluster, host).weight_source == f"attribute lvsdr-weight@{host}"
    assert weighed(cluster, "node3").weight == 7


def test_the_case_of_a_host_does_not_matter() -> None:
    cluster = with_values({("node1", NAME): "3", ("node1", f"{NAME}@FD77:0::99"): "4"})
    assert weighed(cluster, "NODE1").weight == 3
    assert weighed(cluster, "fd77::99").weight == 4


def test_equal_values_on_several_nodes_agree() -> None:
    cluster = with_values({(node, f"{NAME}@{OUTSIDE}"): "0" for node in ("node1", "node2")})
    assert weighed(cluster, OUTSIDE).weight == 0


WRONG = ["", "65536", "-1", "1.5", "ten", " 1", "+1", "0x1"]


@pytest.mark.parametrize("value", WRONG)
def test_a_value_that_is_no_weight_leaves_the_real_server_as_it_is(value: str) -> None:
    cluster = with_values({("node1", NAME): value})
    assert weighed(cluster).verdict == Verdict(Outcome.UNKNOWN, "its weight is not known")
    (flaw,) = flaws(cluster)
    assert flaw == f"lvsdr-weight of node1 is {value!r}: must be a weight from 0 to 65535"


def test_a_wrong_value_precedes_a_configured_weight_of_0() -> None:
    servers = [Located("node1", None, 0, FIT)]
    weights = read_attribute_weights(with_values({("node1", NAME): "ten"}), NAME)
    (found,) = apply_attribute_weights(servers, weights)
    assert (found.weight, found.verdict.outcome) == (1, Outcome.UNKNOWN)


def test_crm_mon_shows_an_empty_value(tmp_path: Path) -> None:
    cluster = edited("steady", tmp_path, pair(PERMANENT, 1, NAME, ""))
    assert weighed(cluster).verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("outcome", [Outcome.WITHDRAWN, Outcome.FAILED, Outcome.UNKNOWN])
def test_another_verdict_is_not_changed_by_a_wrong_value(outcome: Outcome) -> None:
    cluster = with_values({("node1", NAME): "ten"})
    verdict = Verdict(outcome, "so")
    assert weighed(cluster, verdict=verdict) == Located("node1", "10.77.0.21", 7, verdict)
    assert len(flaws(cluster)) == 1


def flaws(cluster: ClusterState, *hosts: str) -> list[str]:
    """Return the sentences on a service with these real servers; node1 without any."""
    servers = [Located(host, None, 1, FIT) for host in hosts or ("node1",)]
    addresses = {"10.77.0.98": "standby4"}
    weights = read_attribute_weights(cluster, NAME)
    return list(list_flaws(weights, servers, cluster, NAME, addresses))


def unmatched(cluster: ClusterState, *hosts: str) -> list[str]:
    """Return the notes on a service with these real servers."""
    servers = [Located(host, None, 1, FIT) for host in hosts]
    return list(list_unmatched(read_attribute_weights(cluster, NAME), servers, {}))


def test_contradictory_values_leave_the_real_server_as_it_is() -> None:
    name = f"{NAME}@{OUTSIDE}"
    cluster = with_values({("node1", name): "0", ("node2", name): "5"})
    assert weighed(cluster, OUTSIDE).verdict.outcome is Outcome.UNKNOWN
    assert flaws(cluster, OUTSIDE) == [
        f"{name} has several values: '0' of node1, '5' of node2; set the same one"
    ]


def test_one_host_in_two_spellings_is_one_host() -> None:
    names = f"{NAME}@Standby4", f"{NAME}@standby4"
    cluster = with_values({("node1", names[0]): "0", ("node1", names[1]): "5"})
    assert weighed(cluster, "standby4").verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("name", [NAME, f"{NAME}@{OUTSIDE}"])
def test_an_attribute_that_crm_mon_shows_twice_is_contradictory(name: str) -> None:
    cluster = with_values({})._replace(contradictory={("node1", name)})
    host = "node1" if name == NAME else OUTSIDE
    assert weighed(cluster, host).verdict.outcome is Outcome.UNKNOWN
    assert len(flaws(cluster, host)) == 1


def test_an_attribute_of_another_host_is_noted_and_does_not_degrade() -> None:
    cluster = with_values({("node3", f"{NAME}@{OUTSIDE}"): "0", ("node2", NAME): "ten"})
    assert flaws(cluster, "node1") == []
    assert unmatched(cluster, "node1") == [
        "lvsdr-weight@10.77.0.99 of node3 has no effect now: 10.77.0.99 is no real server of this "
        "service",
        "lvsdr-weight of node2 has no effect now: node2 is no real server of this service",
    ]
    assert unmatched(cluster, "node2", OUTSIDE) == []


@pytest.mark.parametrize(
    ("name", "hosts", "expected"),
    [
        (
            f"{NAME}@node3",
            ("node3",),
            "lvsdr-weight@node3 of node1 has no effect: node3 is a cluster node, set lvsdr-weight "
            "on it",
        ),
        (
            f"{NAME}@10.77.0.98",
            ("standby4",),
            "lvsdr-weight@10.77.0.98 of node1 has no effect: write lvsdr-weight@standby4, as that "
            "host is listed",
        ),
    ],
)
def test_an_attribute_with_another_name_of_a_host_degrades(
    name: str, hosts: tuple[str, ...], expected: str
) -> None:
    cluster = with_values({("node1", name): "0"})
    assert flaws(cluster, *hosts) == [expected]
    assert weighed(cluster, hosts[0]).weight == 7


def test_other_attributes_are_none_of_its_business() -> None:
    cluster = with_values({("node1", f"{NAME}-kg"): "ten", ("node1", f"{NAME}s@node1"): "0"})
    assert read_attribute_weights(cluster, NAME) == {}
    assert flaws(cluster) == []
    assert read_attribute_weights(with_values({("node1", "None@x"): "1"}), None) == {}


def test_only_a_host_outside_needs_attributes_of_offline_nodes() -> None:
    crashed = state("node3-crashed")
    assert list_hidden_nodes(crashed, NAME, ["node1", OUTSIDE]) == ["node3"]
    assert list_hidden_nodes(crashed, NAME, ["node1", "NODE2"]) == []
    assert list_hidden_nodes(crashed, None, [OUTSIDE]) == []
    assert list_hidden_nodes(state("steady"), NAME, [OUTSIDE]) == []


def test_an_attribute_of_an_online_node_precedes_a_hidden_one() -> None:
    name, other = f"{NAME}@{OUTSIDE}", f"{NAME}@10.77.0.98"
    cluster = with_values({("node1", name): "5"})
    cluster = add_hidden_attributes(cluster, {"node3": {name: "0", other: "0"}})
    assert weighed(cluster, OUTSIDE).weight == 5
    assert weighed(cluster, "10.77.0.98").weight == 0


def test_hidden_attributes_that_cannot_be_read_change_nothing() -> None:
    cluster = with_values({("node1", f"{NAME}@{OUTSIDE}"): "5"})
    servers = [Located(host, None, 7, FIT) for host in ("node1", OUTSIDE, "10.77.0.98")]
    weights = doubt_hosts_outside(read_attribute_weights(cluster, NAME), cluster, servers, "why")
    found = apply_attribute_weights(servers, weights)
    assert [server.weight for server in found] == [7, 5, 7]
    outcomes = [server.verdict.outcome for server in found]
    assert outcomes == [Outcome.IN, Outcome.IN, Outcome.UNKNOWN]
    assert list(list_flaws(weights, servers, cluster, NAME, {})) == ["why"]
