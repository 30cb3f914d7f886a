"""The little that the values compute by themselves."""

from __future__ import annotations

import pytest
from lvsdr.model import FITNESS, Outcome, Script

from tests.unit.pools import SPEC


@pytest.mark.parametrize(
    ("host", "weight"), [("node1", 3), ("Node1", 3), ("node2", 7), ("node3", 0), ("x", 7)]
)
def test_weights(host: str, weight: int) -> None:
    """Listed with a weight, in another case, without one, with 0, and not at all."""
    spec = SPEC._replace(weights={"node1": 3, "node2": None, "node3": 0}, default_weight=7)
    assert spec.weight_of(host) == weight


def test_a_script_is_called_by_its_name_in_messages() -> None:
    assert Script(("/opt/tools/check", "--password=secret"), 10.0).label == "check"
    assert Script(("check",), 10.0).label == "check"


def test_every_outcome_is_more_or_less_fit() -> None:
    assert set(FITNESS) == set(Outcome)
