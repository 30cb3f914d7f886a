"""examples/4-roles.sh, but ocf:heartbeat:IPaddr2 has the addresses, not ocf:lvsdr:vip."""

from __future__ import annotations

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.example import Example, assert_example_serves
from tests.cluster.timeouts import PATIENCE

MINUTES = 4  # see tests/support/shared_tests.py


@pytest.fixture(scope="module")
def example(cluster: Cluster) -> Example:
    return Example(cluster, "4-roles-IPaddr2")


def test_it_settles_and_everybody_serves(example: Example) -> None:
    assert_example_serves(example)


def test_reads_follow_the_director(example: Example) -> None:
    there = example.bystander()
    move = ["pcs", "resource", "move", "director", there.name]
    example.cluster.node1.run(move, timeout=PATIENCE)
    example.wait()
    assert example.director() is there
    assert example.reads() == dict.fromkeys(example.wanted, 2)
    assert example.complaints() == []
