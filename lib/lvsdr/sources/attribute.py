"""Candidates by a node attribute: ``realserver_dependent_attribute_name`` and ``_value``."""

from __future__ import annotations

from collections.abc import Iterable

from ..cluster import ClusterState
from ..deadline import Deadline
from ..model import AttributeMatch, Candidate, Outcome, PoolSpec, Verdict
from . import members


def candidates(state: ClusterState, spec: PoolSpec, deadline: Deadline) -> list[Candidate]:
    """Every cluster node, judged by the attribute alone."""
    everyone = members.candidates(state, spec, deadline)
    return everyone if spec.attribute is None else narrowed(everyone, state, spec.attribute)


def narrowed(
    found: Iterable[Candidate], state: ClusterState, match: AttributeMatch
) -> list[Candidate]:
    """The candidates of other sources; those that were IN must have the attribute as wanted."""
    return [
        candidate._replace(verdict=attribute_verdict(candidate, state, match))
        if candidate.verdict.outcome is Outcome.IN
        else candidate
        for candidate in found
    ]


def attribute_verdict(candidate: Candidate, state: ClusterState, match: AttributeMatch) -> Verdict:
    """The regular expression must match the whole value, as ``grep -Ex`` would."""
    node = state.node(candidate.host)
    if node is None:
        return Verdict(Outcome.WITHDRAWN, f"is no cluster node, so it has no {match.name}")
    value = state.attributes.get(node.name, {}).get(match.name)
    if value is None:
        return Verdict(Outcome.WITHDRAWN, f"{match.name} is not set")
    if match.pattern.fullmatch(value):
        return Verdict(Outcome.IN, f"{candidate.verdict.reason}, {match.name} is {value}")
    return Verdict(Outcome.WITHDRAWN, f"{match.name} is {value}, wanted {match.pattern.pattern}")
