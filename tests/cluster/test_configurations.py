"""The examples that need nothing but the cluster: who serves reads, and how somebody leaves.

Each test leaves all of an example as it was when it had settled.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import PATIENCE, Example, leaves_and_comes_back, serves_as_it_should

NAMES = ["1-attribute-IPaddr2", "1-attribute", "4-roles"]


@pytest.fixture(scope="module", params=NAMES, name="example")
def configured(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Example]:
    """Each of them in turn."""
    example = Example(cluster, str(request.param), outside=False)
    yield example
    example.remove()


def test_it_settles_and_everybody_serves(example: Example) -> None:
    serves_as_it_should(example)


def test_sessions_of_a_standby_on_standby_have_time_to_end(example: Example) -> None:
    leaves_and_comes_back(example)


@pytest.mark.parametrize("example", ["1-attribute-IPaddr2"], indirect=True)
def test_reads_follow_the_director(example: Example) -> None:
    there = example.bystander()
    move = ["pcs", "resource", "move", "director", there.name]
    example.cluster.node1.run(move, timeout=PATIENCE)
    example.wait()
    assert example.director() is there
    assert example.reads() == dict.fromkeys(example.wanted, 2)
    assert example.complaints() == []
