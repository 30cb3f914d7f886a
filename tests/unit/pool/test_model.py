"""Values that the model computes by itself."""

from __future__ import annotations

import pytest
from lvsdr.pool.model import FITNESS, CheckLimits, Outcome, Script
from lvsdr.values.deadline import Deadline

from tests.unit.pools import SPEC

LISTED, DEFAULT = "weight_of_realservers", "default_weight"


@pytest.mark.parametrize(
    ("host", "weight", "given_by"),
    [
        ("node1", 3, LISTED),
        ("Node1", 3, LISTED),
        ("node2", 7, DEFAULT),
        ("node3", 0, LISTED),
        ("x", 7, DEFAULT),
    ],
)
def test_weights(host: str, weight: int, given_by: str) -> None:
    """A host is listed with a weight, in another case, without one, with 0, or not at all."""
    spec = SPEC._replace(weights={"node1": 3, "node2": None, "node3": 0}, default_weight=7)
    assert spec.find_weight(host) == (weight, given_by)


def test_a_script_is_called_by_its_name_in_messages() -> None:
    assert Script(("/opt/tools/check", "--password=secret"), 10.0).label == "check"
    assert Script(("check",), 10.0).label == "check"


def test_every_outcome_is_more_or_less_fit() -> None:
    assert set(FITNESS) == set(Outcome)


@pytest.mark.parametrize(
    ("left", "configured", "rounds", "expected"),
    [
        (100.0, 10.0, 1, 10.0),
        (8.0, 10.0, 1, 10.0),  # the deadline ends the call
        (8.0, 10.0, 2, 4.0),  # several calls follow each other
        (100.0, 10.0, 2, 10.0),
    ],
)
def test_the_timeout_of_one_call_of_a_check(
    left: float, configured: float, rounds: int, expected: float
) -> None:
    limits = CheckLimits(Deadline.after(left), 5.0)
    assert limits.limit_timeout(configured, rounds) == pytest.approx(expected, abs=0.1)
