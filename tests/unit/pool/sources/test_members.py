"""All nodes of the cluster as candidates."""

from __future__ import annotations

from lvsdr.pool.sources.members import list_candidates
from lvsdr.values.deadline import Deadline

from tests.unit.crm import state
from tests.unit.pools import SPEC, told


def test_every_node_is_one() -> None:
    found = list_candidates(state("nodes"), SPEC, Deadline.after(1.0))
    assert {c.host for c in found} == set(state("nodes").nodes)


def test_the_reason_has_the_kind_of_node() -> None:
    lines = told(list_candidates(state("nodes"), SPEC, Deadline.after(1.0)))
    assert "well in: is a cluster node (member)" in lines
    assert "remote1 in: is a cluster node (remote)" in lines
    assert "guest1 in: is a cluster node (guest)" in lines
