"""The node, the role and the state of a resource."""

from __future__ import annotations

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import Instance, Role
from lvsdr.pool.model import Outcome, WantedRole
from lvsdr.pool.sources.resource import judge_instance, list_candidates
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC

NOW = Deadline.after(60.0)
ABSENT = "failed: {} is not running there"


def judged(
    resource: str, role: WantedRole = WantedRole.ANY, cluster: str = "resources"
) -> list[str]:
    """Return the verdicts on node1, node2 and node3."""
    spec = SPEC._replace(resources=(resource,), role=role)
    found = list_candidates(state(cluster), spec, NOW)
    verdicts = {c.host: f"{c.verdict.outcome.value}: {c.verdict.reason}" for c in found}
    return [verdicts[f"node{number}"] for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("resource", "on_node1", "on_node2", "on_node3"),
    [
        ("alone", "in: alone is Started", ABSENT, ABSENT),
        ("idle", ABSENT, ABSENT, ABSENT),
        ("group", "in: group is Started", ABSENT, ABSENT),
        ("group-a", "in: group-a is Started", ABSENT, ABSENT),
        ("half", ABSENT, ABSENT, ABSENT),
        ("half-a", "in: half-a is Started", ABSENT, ABSENT),
        ("clone", "in: clone is Started", "in: clone is Started", ABSENT),
        ("cloned", "in: cloned is Started", "in: cloned is Started", ABSENT),
        ("groups", "in: groups is Started", "in: groups is Started", ABSENT),
        ("promotable", "in: promotable is Promoted", "in: promotable is Unpromoted", ABSENT),
        ("unique", "in: unique is Started", "in: unique is Started", ABSENT),
        ("bundle", "in: bundle is Promoted", "in: bundle is Unpromoted", ABSENT),
        ("bare", "in: bare is Started", ABSENT, ABSENT),
        ("hollow", ABSENT, ABSENT, ABSENT),
        ("failed", "failed: failed has failed", ABSENT, ABSENT),
        ("blocked", "failed: blocked has failed and is blocked", ABSENT, ABSENT),
        ("twice", "unknown: twice is blocked", "unknown: twice is blocked", ABSENT),
        ("unmanaged", "unknown: unmanaged is unmanaged or in maintenance", ABSENT, ABSENT),
        ("guarded", "unknown: guarded is unmanaged or in maintenance", ABSENT, ABSENT),
        ("starting", "failed: starting is starting there", ABSENT, ABSENT),
        ("stopping", "withdrawn: stopping is being stopped", ABSENT, ABSENT),
        ("migrating", "in: migrating is Migrating", ABSENT, ABSENT),
        ("promoting-clone", "in: promoting-clone is Promoting", ABSENT, ABSENT),
        ("demoting-clone", "in: demoting-clone is Demoting", ABSENT, ABSENT),
    ],
)
def test_resources(resource: str, on_node1: str, on_node2: str, on_node3: str) -> None:
    expected = [text.format(resource) for text in (on_node1, on_node2, on_node3)]
    assert judged(resource) == expected


def test_instances_out_of_sight_have_a_grace() -> None:
    """A resource that has failed, or has failed and is blocked, is not merely out of sight."""
    verdicts = {
        resource: {it.host: it.verdict for it in list_candidates(state("resources"), spec, NOW)}[
            "node1"
        ]
        for resource in ("idle", "starting", "failed", "blocked", "stopping")
        for spec in [SPEC._replace(resources=(resource,))]
    }
    assert {name for name, it in verdicts.items() if it.grace} == {"idle", "starting"}
    assert {name for name, it in verdicts.items() if it.leaving} == {"stopping"}


@pytest.mark.parametrize(
    ("resource", "role", "on_node1"),
    [
        ("restarted", WantedRole.ANY, "in: restarted is Started"),
        ("stopping", WantedRole.ANY, "withdrawn: stopping is being stopped"),
        ("migrating", WantedRole.ANY, "in: migrating is Migrating"),
        ("promoting-clone", WantedRole.ANY, "in: promoting-clone is Promoting"),
        (
            "promoting-clone",
            WantedRole.UNPROMOTED,
            "withdrawn: promoting-clone is Promoting, wanted Unpromoted",
        ),
        (
            "demoting-clone",
            WantedRole.ANY,
            "withdrawn: demoting-clone is being demoted, and may have failed",
        ),
    ],
)
def test_a_failure_that_may_be_over_breaks_no_connection(
    resource: str, role: WantedRole, on_node1: str
) -> None:
    assert judged(resource, role, "failed-before")[0] == on_node1


def test_a_resource_that_the_cluster_does_not_have() -> None:
    with pytest.raises(SourceUnavailable, match=r"^the cluster has no resource pgsql-clone$"):
        judged("pgsql-clone")


def test_all_nodes_are_named() -> None:
    spec = SPEC._replace(resources=("alone",))
    found = list_candidates(state("resources"), spec, Deadline.after(1.0))
    assert {c.host for c in found} == set(state("resources").nodes)


ANY, PROMOTED, UNPROMOTED = WantedRole.ANY, WantedRole.PROMOTED, WantedRole.UNPROMOTED
IN, WITHDRAWN, FAILED, UNKNOWN = (
    Outcome.IN,
    Outcome.WITHDRAWN,
    Outcome.FAILED,
    Outcome.UNKNOWN,
)
ROLES = {
    # role: outcome by wanted role any, Promoted, Unpromoted
    Role.STOPPED: (FAILED, FAILED, FAILED),
    Role.STARTED: (IN, WITHDRAWN, WITHDRAWN),
    Role.UNPROMOTED: (IN, WITHDRAWN, IN),
    Role.PROMOTED: (IN, IN, WITHDRAWN),
    Role.STARTING: (FAILED, FAILED, FAILED),
    Role.STOPPING: (WITHDRAWN, WITHDRAWN, WITHDRAWN),
    Role.PROMOTING: (IN, WITHDRAWN, WITHDRAWN),
    Role.DEMOTING: (IN, WITHDRAWN, WITHDRAWN),
    Role.MIGRATING: (IN, WITHDRAWN, WITHDRAWN),
    Role.UNKNOWN: (UNKNOWN, UNKNOWN, UNKNOWN),
}
INSTANCE = Instance("node1", Role.STARTED, active=True, failed=False, blocked=False, managed=True)


def test_every_role_is_tried() -> None:
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_roles(role: Role) -> None:
    instance = INSTANCE._replace(role=role)
    verdicts = [judge_instance("db", instance, wanted) for wanted in WantedRole]
    assert tuple(verdict.outcome for verdict in verdicts) == ROLES[role]


def test_the_reason_for_a_role_names_the_wanted_role() -> None:
    promoted = INSTANCE._replace(role=Role.PROMOTED)
    assert judge_instance("db", promoted, UNPROMOTED).reason == (
        "db is Promoted, wanted Unpromoted"
    )


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
@pytest.mark.parametrize("wanted", WantedRole, ids=lambda role: role.value)
def test_nothing_is_known_of_an_unmanaged_instance(role: Role, wanted: WantedRole) -> None:
    for failed in (False, True):
        instance = INSTANCE._replace(role=role, managed=False, failed=failed)
        assert judge_instance("db", instance, wanted).outcome is UNKNOWN


def test_an_instance_that_is_not_active_has_failed() -> None:
    assert judge_instance("db", INSTANCE._replace(active=False), ANY).outcome is FAILED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_several_instances_on_a_node_the_fittest_counts(order: tuple[int, int]) -> None:
    pair = (INSTANCE._replace(failed=True), INSTANCE)
    instances = tuple(pair[number] for number in order)
    cluster = state("resources")._replace(resources={"unique": instances})
    (verdict,) = (
        candidate.verdict
        for candidate in list_candidates(
            cluster, SPEC._replace(resources=("unique",)), Deadline.after(1.0)
        )
        if candidate.host == "node1"
    )
    assert verdict.outcome is IN
