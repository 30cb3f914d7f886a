"""examples/3-check-script.sh: a script queries each standby, including one outside."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, serves_as_it_should
from tests.cluster.ignorance import names_gone, nothing_changes
from tests.cluster.leaving import leaves_and_comes_back
from tests.cluster.report import Report

MINUTES = 6  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "3-check-script", cluster.outside)


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert example.cluster.outside.name in example.wanted
    serves_as_it_should(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(
    example: Example, reports: list[Report]
) -> None:
    leaves_and_comes_back(example, reports)


def test_names_that_do_not_resolve_change_nothing(example: Example, reports: list[Report]) -> None:
    fault = names_gone(example)
    assert "no address" in nothing_changes("no name resolves", example, fault, reports)
