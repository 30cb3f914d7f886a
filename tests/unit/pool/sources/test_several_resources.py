"""Real servers that need several resources: the worst verdict of a node counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from lvsdr.errors import SourceUnavailable
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.model import Outcome, PoolSpec, Verdict, WantedRole
from lvsdr.pool.sources import explain_untouched, query_sources
from lvsdr.pool.sources.resource import combine_verdicts, list_candidates
from lvsdr.values.deadline import Deadline

from tests.unit.crm import edited, state
from tests.unit.pools import SPEC, shell, told

DATABASE, ADDRESS = "pgsql-clone", "lvsdr-realsvr-clone"
BOTH = SPEC._replace(resources=(DATABASE, ADDRESS), role=WantedRole.UNPROMOTED)
RETURNS = "address-stopping-database-running"

IN = Verdict(Outcome.IN, "in")
UNKNOWN = Verdict(Outcome.UNKNOWN, "unknown")
UNWANTED = Verdict(Outcome.WITHDRAWN, "unwanted")
LEAVING = Verdict(Outcome.WITHDRAWN, "leaving", leaving=True)
ABSENT = Verdict(Outcome.FAILED, "absent", grace=20.0)
DEAD = Verdict(Outcome.FAILED, "dead")
VERDICTS = (IN, UNKNOWN, UNWANTED, LEAVING, ABSENT, DEAD)

TRUTH_TABLE = [
    (UNKNOWN, IN, UNKNOWN),
    (UNWANTED, IN, UNWANTED),
    (UNWANTED, UNKNOWN, UNWANTED),
    (LEAVING, IN, LEAVING),
    (LEAVING, UNKNOWN, LEAVING),
    (LEAVING, UNWANTED, LEAVING),
    (ABSENT, IN, ABSENT),
    (ABSENT, UNKNOWN, ABSENT),
    (ABSENT, UNWANTED, ABSENT),
    (ABSENT, LEAVING, ABSENT),
    (DEAD, IN, DEAD),
    (DEAD, UNKNOWN, DEAD),
    (DEAD, UNWANTED, DEAD),
    (DEAD, LEAVING, DEAD),
    (DEAD, ABSENT, DEAD),
]


@pytest.mark.parametrize(("one", "other", "expected"), TRUTH_TABLE)
def test_the_worst_verdict_counts(one: Verdict, other: Verdict, expected: Verdict) -> None:
    assert combine_verdicts([one, other]) == expected
    assert combine_verdicts([other, one]) == expected
    assert combine_verdicts([IN, one, other]) == expected


def test_the_truth_table_is_complete() -> None:
    pairs = {frozenset((one.reason, other.reason)) for one, other, _ in TRUTH_TABLE}
    names = [verdict.reason for verdict in VERDICTS]
    assert pairs == {frozenset((a, b)) for a in names for b in names if a != b}


def test_one_verdict_is_unchanged() -> None:
    assert [combine_verdicts([verdict]) for verdict in VERDICTS] == [*VERDICTS]


def asked(cluster: ClusterState, spec: PoolSpec = BOTH) -> list[str]:
    """Return one line for each candidate."""
    found = query_sources(cluster, spec, Deadline.after(20.0))
    assert found.unavailable_reason is None
    return told(found.candidates)


def test_a_node_needs_both_and_the_role_is_that_of_the_promotable_one() -> None:
    assert asked(state("steady")) == [
        "node1 in: pgsql-clone is Unpromoted, lvsdr-realsvr-clone is Started",
        "node2 failed: lvsdr-realsvr-clone is not running there",
        "node3 in: pgsql-clone is Unpromoted, lvsdr-realsvr-clone is Started",
    ]


def test_a_standby_that_returns_while_its_address_goes() -> None:
    (on_node1, *_) = asked(state(RETURNS), BOTH._replace(resources=(DATABASE,)))
    assert on_node1 == "node1 in: pgsql-clone is Unpromoted"
    for resources in ((DATABASE, ADDRESS), (ADDRESS, DATABASE)):
        (on_node1, *_) = asked(state(RETURNS), BOTH._replace(resources=resources))
        assert on_node1 == "node1 withdrawn: lvsdr-realsvr-clone is being stopped"
    verdict = list_candidates(state(RETURNS), BOTH, Deadline.after(9.0))[0].verdict
    assert verdict.leaving


@pytest.mark.parametrize(
    ("operation", "reason"),
    [("start", "is starting there"), ("stop", "is not running there")],
)
def test_an_address_that_is_gone_counts_as_failed_after_a_grace(
    operation: str, reason: str, tmp_path: Path
) -> None:
    """The operation of lvsdr-realsvr on node1: a start under way, or a finished stop."""
    pending = 'transition-magic="-1:193;42:9', 'rc-code="193" op-status="-1"'
    done = 'transition-magic="0:0;42:9', 'rc-code="0" op-status="0"'
    stop = 'operation_key="lvsdr-realsvr_stop_0" operation="stop" crm-debug-origin="controld'
    changes = [(stop, stop.replace("stop", operation))]
    if operation == "stop":
        changes += [*zip(pending, done), ('call-id="-1"', 'call-id="99"')]
    cluster = edited(RETURNS, tmp_path, *changes)
    verdict = list_candidates(cluster, BOTH, Deadline.after(9.0))[0].verdict
    assert (verdict.outcome, verdict.grace) == (Outcome.FAILED, 20.0)
    assert verdict.reason == f"{ADDRESS} {reason}"


@pytest.mark.parametrize("role", WantedRole)
def test_a_resource_without_roles_must_be_started(role: WantedRole) -> None:
    spec = SPEC._replace(resources=("alone", "clone"), role=role)
    assert "node1 in: alone is Started, clone is Started" in asked(state("resources"), spec)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (WantedRole.ANY, "node1 in: promotable is Promoted, clone is Started"),
        (WantedRole.PROMOTED, "node1 in: promotable is Promoted, clone is Started"),
        (
            WantedRole.UNPROMOTED,
            "node1 withdrawn: promotable is Promoted, wanted Unpromoted",
        ),
    ],
)
def test_the_role_beside_a_resource_without_roles(role: WantedRole, expected: str) -> None:
    spec = SPEC._replace(resources=("promotable", "clone"), role=role)
    assert expected in asked(state("resources"), spec)


def test_every_resource_that_the_cluster_does_not_have_is_named() -> None:
    spec = BOTH._replace(resources=(DATABASE, "typo", "other"))
    with pytest.raises(SourceUnavailable, match=r"^the cluster has no resource typo, other$"):
        list_candidates(state("steady"), spec, Deadline.after(9.0))


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ((), None),
        ((DATABASE,), "pgsql-clone is unmanaged or in maintenance"),
        ((DATABASE, ADDRESS), None),  # Pacemaker stops the address, so the node cannot serve
        ((ADDRESS, DATABASE), None),
        (
            (DATABASE, "gone"),
            "pgsql-clone is unmanaged or in maintenance, the cluster has no resource gone",
        ),
    ],
)
def test_a_node_that_left_has_stopped_its_managed_resources(
    resources: tuple[str, ...], expected: str | None
) -> None:
    cluster = state("steady")._replace(unmanaged=frozenset({DATABASE}))
    assert explain_untouched(cluster, BOTH._replace(resources=resources)) == expected
    listed = BOTH._replace(resources=resources, list_script=shell("true"))
    assert explain_untouched(cluster, listed) is None
