"""examples/2-list-script.sh: the primary lists the real servers, including a standby outside.

Leaving nodes are tested with the other examples, which share these lines.
"""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.report import Report
from tests.cluster.silent_sources import assert_nothing_changes, remove_names, silence_primary

MINUTES = 5  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "2-list-script", cluster.outside)


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert example.cluster.outside.name in example.wanted
    assert_example_serves(example)


def test_a_primary_that_is_silent_changes_nothing(example: Example, reports: list[Report]) -> None:
    fault = silence_primary(example)
    assert "get_active_slaves" in assert_nothing_changes(
        "the primary is silent", example, fault, reports
    )


def test_names_that_do_not_resolve_change_nothing(example: Example, reports: list[Report]) -> None:
    fault = remove_names(example)
    assert "no address" in assert_nothing_changes("no name resolves", example, fault, reports)
