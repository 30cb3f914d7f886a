"""examples/1-attribute.sh: the attribute that ocf:heartbeat:pgsql sets selects the real servers."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.report import Report
from tests.cluster.standby_maintenance import maintain_standby

MINUTES = 4  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "1-attribute")


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert_example_serves(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(
    example: Example, reports: list[Report]
) -> None:
    maintain_standby(example, reports)
