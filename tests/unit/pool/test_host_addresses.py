"""The address of each candidate."""

from __future__ import annotations

import pytest
from lvsdr.pool.host_addresses import (
    assign_answers,
    choose_lookup_names,
    locate_candidates,
    remove_unusable_addresses,
)
from lvsdr.pool.model import Candidate, Located, Outcome, Resolved, Verdict

from tests.unit.crm import state
from tests.unit.pools import SPEC

FIT = Verdict(Outcome.IN, "fit")
LISTED = "weight_of_realservers"
LOST = Resolved([], "Name or service not known")


def test_hosts_are_looked_up_by_their_names() -> None:
    found = [Candidate(host, FIT) for host in ("node1", "10.77.0.14", "db4.example.com")]
    assert choose_lookup_names(found, state("steady"), None) == {
        "node1": "node1",
        "10.77.0.14": "10.77.0.14",
        "db4.example.com": "db4.example.com",
    }


def test_nodes_are_looked_up_by_their_address_attribute() -> None:
    """A node without the attribute is not looked up: its name may lead to the wrong network."""
    cluster = state("steady")._replace(
        attributes={"node1": {"address": "10.88.0.1"}, "node2": {"address": "db2"}}
    )
    found = [Candidate(host, FIT) for host in ("Node1", "node2", "node3", "10.77.0.14")]
    assert choose_lookup_names(found, cluster, "address") == {
        "Node1": "10.88.0.1",
        "node2": "db2",
        "10.77.0.14": "10.77.0.14",
    }


def test_an_address_that_is_known_is_looked_up_for_those_that_are_in_only() -> None:
    away = Verdict(Outcome.FAILED, "node is offline")
    found = [Candidate("node1", FIT), Candidate("node2", away), Candidate("node3", away)]
    known = {"node1": "10.77.0.1", "node2": "10.77.0.2"}
    assert set(choose_lookup_names(found, state("steady"), None, known)) == {"node1", "node3"}


def test_a_problem_with_an_attribute_names_it() -> None:
    asked = {"node1": "10.77.0.021", "db4": "db4"}
    answers = {"10.77.0.021": Resolved([], "is no address"), "db4": Resolved([], "unknown")}
    assert assign_answers(asked, answers, "addr") == {
        "node1": Resolved([], "addr: is no address"),
        "db4": Resolved([], "unknown"),
    }


def place(answer: Resolved | None, last: str | None = None, verdict: Verdict = FIT) -> Located:
    """Return the location of node1, given an answer and a remembered address."""
    (found,) = locate_candidates(
        [Candidate("node1", verdict)],
        {} if answer is None else {"node1": answer},
        {} if last is None else {"node1": last},
        SPEC._replace(weights={"node1": 3}, address_attribute="address"),
    )
    return found


def test_an_address() -> None:
    assert place(Resolved(["10.77.0.1"])) == Located("node1", "10.77.0.1", 3, FIT, LISTED)


@pytest.mark.parametrize(
    ("last", "used"),
    [(None, "10.77.0.1"), ("10.77.0.2", "10.77.0.2"), ("10.77.0.9", "10.77.0.1")],
)
def test_of_several_addresses_the_one_in_use_stays(last: str | None, used: str) -> None:
    assert place(Resolved(["10.77.0.1", "10.77.0.2"]), last).address == used


def test_a_name_that_does_not_resolve_is_unknown_where_it_was_last() -> None:
    verdict = Verdict(Outcome.UNKNOWN, "no address: Name or service not known")
    assert place(LOST, "10.77.0.1") == Located("node1", "10.77.0.1", 3, verdict, LISTED)
    assert place(LOST) == Located("node1", None, 3, verdict, LISTED)


def test_a_node_without_the_address_attribute_is_unknown() -> None:
    verdict = Verdict(Outcome.UNKNOWN, "no address: has no attribute address")
    assert place(None, "10.77.0.1") == Located("node1", "10.77.0.1", 3, verdict, LISTED)


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.IN])
def test_a_verdict_does_not_depend_on_an_address(outcome: Outcome) -> None:
    """A verdict does not depend on an address: a dead node is deleted at its last one."""
    verdict = Verdict(outcome, "said before")
    assert place(LOST, "10.77.0.1", verdict) == Located("node1", "10.77.0.1", 3, verdict, LISTED)


def test_a_verdict_in_doubt_stays_in_doubt() -> None:
    doubt = Verdict(Outcome.FAILED, "check: exit status 1", certain=False)
    assert place(Resolved(["10.77.0.1"]), verdict=doubt).verdict == doubt


NEVER = {"10.77.0.100": "is the virtual IP itself", "10.77.0.255": "is a broadcast address"}


@pytest.mark.parametrize(
    ("answer", "fitting"),
    [
        (Resolved(["10.77.0.11"]), Resolved(["10.77.0.11"])),
        (Resolved(["10.77.0.100"]), Resolved([], "10.77.0.100 is the virtual IP itself")),
        (Resolved(["10.77.0.255"]), Resolved([], "10.77.0.255 is a broadcast address")),
        (Resolved(["10.77.0.100", "10.77.0.11"]), Resolved(["10.77.0.11"])),
        (LOST, LOST),
    ],
)
def test_addresses_that_no_real_server_can_have(answer: Resolved, fitting: Resolved) -> None:
    assert remove_unusable_addresses(answer, NEVER) == fitting
