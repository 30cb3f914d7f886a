"""examples/3-check-script.sh: a script queries each standby, including one outside."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.report import Report
from tests.cluster.silent_sources import assert_nothing_changes, remove_names
from tests.cluster.standby_maintenance import maintain_standby

MINUTES = 6  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "3-check-script", cluster.outside)


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert example.cluster.outside.name in example.wanted
    assert_example_serves(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(
    example: Example, reports: list[Report]
) -> None:
    maintain_standby(example, reports)


def test_names_that_do_not_resolve_change_nothing(example: Example, reports: list[Report]) -> None:
    fault = remove_names(example)
    assert "no address" in assert_nothing_changes("no name resolves", example, fault, reports)
