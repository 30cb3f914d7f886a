"""Candidates without another source: all nodes of the cluster, also remote and guest nodes."""

from __future__ import annotations

from ...pacemaker.cluster import ClusterState
from ...values.deadline import Deadline
from ..model import Candidate, Outcome, PoolSpec, Verdict


def list_candidates(state: ClusterState, _spec: PoolSpec, _deadline: Deadline) -> list[Candidate]:
    """Return every cluster node."""
    return [
        Candidate(node.name, Verdict(Outcome.IN, f"is a cluster node ({node.kind.value})"))
        for node in state.nodes.values()
    ]
