"""Candidates when nothing else names any: all nodes of the cluster, remote and guest ones too."""

from __future__ import annotations

from ..cluster import ClusterState
from ..deadline import Deadline
from ..model import Candidate, Outcome, PoolSpec, Verdict


def candidates(state: ClusterState, _spec: PoolSpec, _deadline: Deadline) -> list[Candidate]:
    """Every cluster node."""
    return [
        Candidate(node.name, Verdict(Outcome.IN, f"is a cluster node ({node.kind.value})"))
        for node in state.nodes.values()
    ]
