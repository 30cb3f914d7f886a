"""examples/1-attribute.sh: the attribute that ocf:heartbeat:pgsql sets selects the real servers."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, serves_as_it_should
from tests.cluster.leaving import leaves_and_comes_back
from tests.cluster.report import Report

MINUTES = 4  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "1-attribute")


def test_it_settles_and_everybody_serves(example: Example) -> None:
    serves_as_it_should(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(
    example: Example, reports: list[Report]
) -> None:
    leaves_and_comes_back(example, reports)
