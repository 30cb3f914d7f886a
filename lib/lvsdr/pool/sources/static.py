"""Candidates from the administrator's list: ``weight_of_realservers``."""

from __future__ import annotations

from ...pacemaker.cluster import ClusterState
from ...values.deadline import Deadline
from ..model import Candidate, Outcome, PoolSpec, Verdict


def list_candidates(_state: ClusterState, spec: PoolSpec, _deadline: Deadline) -> list[Candidate]:
    """Return every listed host, in the order of the list."""
    verdict = Verdict(Outcome.IN, "listed in weight_of_realservers")
    return [Candidate(host, verdict) for host in spec.weights]
