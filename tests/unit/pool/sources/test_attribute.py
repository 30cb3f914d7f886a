"""Node attributes, and the regular expressions that they must match."""

from __future__ import annotations

import pytest
from lvsdr.pacemaker.cluster import ClusterState
from lvsdr.pool.model import AttributeMatch, Candidate, Outcome, Verdict
from lvsdr.pool.sources import members
from lvsdr.pool.sources.attribute import narrow_candidates
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC, attribute, told

NODE = Candidate("node1", Verdict(Outcome.IN, "is a cluster node"))
DOCUMENTED = attribute("pgsql-status", "HS:sync|HS:potential|HS:async")


def with_value(value: str) -> ClusterState:
    """Return a cluster in which the attribute ``fit`` of node1 has this value."""
    return state("steady")._replace(attributes={"node1": {"fit": value}})


def judged(candidate: Candidate, cluster: ClusterState, match: AttributeMatch) -> Verdict:
    """Return the verdict on one candidate."""
    (found,) = narrow_candidates([candidate], cluster, match, Deadline.after(9.0))
    return found.verdict


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("1", "1", True),
        ("1", "10", False),
        ("1", "01", False),
        ("1", "", False),
        ("1", "1\n", False),
        (".*", "", True),
        ("", "", True),
        ("HS:sync|HS:async", "HS:async", True),
        ("HS:sync|HS:async", "HS:async2", False),
        ("HS:sync|HS:async", "xHS:sync", False),
        ("HS:(sync|potential|async)", "HS:potential", True),
        ("^1$", "1", True),
        ("a.c", "a.c", True),
        ("a.c", "abc", True),
        (r"a\.c", "abc", False),
        (r"STREAMING\|ASYNC", "STREAMING|ASYNC", True),
        ("(?i)yes", "YES", True),
        ("with blanks", "with blanks", True),
        ("so <&> so", "so <&> so", True),
        ("ä+", "ää", True),
    ],
)
def test_the_whole_value_must_match(pattern: str, value: str, fits: bool) -> None:
    verdict = judged(NODE, with_value(value), attribute("fit", pattern))
    assert verdict.outcome is (Outcome.IN if fits else Outcome.WITHDRAWN)


def test_the_reason_names_the_wanted_value() -> None:
    verdict = judged(NODE, with_value("HS:alone"), attribute("fit", "HS:(sync|async)"))
    assert verdict.reason == "fit is HS:alone, wanted HS:(sync|async)"


def test_an_attribute_that_is_not_set() -> None:
    verdict = judged(NODE, state("steady"), attribute("fit", ".*"))
    assert verdict == Verdict(Outcome.WITHDRAWN, "fit is not set")


def test_a_host_outside_the_cluster_has_no_attributes() -> None:
    verdict = judged(NODE._replace(host="10.77.0.14"), state("steady"), DOCUMENTED)
    reason = "is no cluster node, so it has no pgsql-status"
    assert verdict == Verdict(Outcome.WITHDRAWN, reason)


def test_only_those_that_are_in_are_looked_at() -> None:
    others = [o for o in Outcome if o is not Outcome.IN]
    found = [Candidate("node1", Verdict(outcome, "said before")) for outcome in others]
    assert narrow_candidates(found, state("steady"), DOCUMENTED, Deadline.after(9.0)) == found


def test_all_nodes_with_the_attribute() -> None:
    everyone = members.list_candidates(state("steady"), SPEC, Deadline.after(1.0))
    found = narrow_candidates(everyone, state("steady"), DOCUMENTED, Deadline.after(1.0))
    assert told(found) == [
        "node1 in: is a cluster node (member), pgsql-status is HS:async",
        "node2 withdrawn: pgsql-status is PRI, wanted HS:sync|HS:potential|HS:async",
        "node3 in: is a cluster node (member), pgsql-status is HS:async",
    ]


def test_the_case_of_a_node_does_not_matter() -> None:
    named = NODE._replace(host="Node1")
    match = attribute("fit", "yes")
    assert judged(named, with_value("yes"), match).outcome is Outcome.IN
    assert judged(named, with_value("no"), match).outcome is Outcome.WITHDRAWN


def test_an_attribute_with_two_values_says_nothing() -> None:
    cluster = state("steady")._replace(contradictory={("node1", "fit")})
    verdict = judged(NODE, cluster, attribute("fit", "1"))
    assert verdict == Verdict(Outcome.UNKNOWN, "fit has several values")


def test_a_pattern_that_takes_for_ever_is_named() -> None:
    verdict = judged(NODE, with_value("a" * 40 + "!"), attribute("fit", r"([\w:]+ ?)+"))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reason.startswith(
        "realserver_dependent_attribute_value takes too long to match fit='aaaa"
    )


def test_a_pattern_that_takes_for_ever_costs_its_own_host_only() -> None:
    values = {"node1": "a" * 40 + "!", "node2": "a b", "node3": "!"}
    cluster = state("steady")._replace(attributes={n: {"fit": v} for n, v in values.items()})
    found = [NODE._replace(host=name) for name in values]
    verdicts = narrow_candidates(
        found, cluster, attribute("fit", r"([\w:]+ ?)+"), Deadline.after(9.0)
    )
    assert [it.verdict.outcome for it in verdicts] == [
        *(Outcome.UNKNOWN, Outcome.IN, Outcome.WITHDRAWN)
    ]
