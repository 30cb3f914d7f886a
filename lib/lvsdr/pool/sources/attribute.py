"""The condition of a node attribute: ``realserver_dependent_attribute_name`` and ``_value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...pacemaker.cluster import ClusterState
from ...system.matching import match_values
from ...values.deadline import Deadline
from ..model import AttributeMatch, Candidate, Outcome, Verdict


def narrow_candidates(
    candidates: Iterable[Candidate], state: ClusterState, match: AttributeMatch, deadline: Deadline
) -> list[Candidate]:
    """Return the candidates of other sources; those that were IN must have the attribute."""
    candidates = list(candidates)
    values = {
        candidate.host: _find_value(candidate, state, match)
        for candidate in candidates
        if candidate.verdict.outcome is Outcome.IN
    }
    matches = match_values(
        match.pattern, [value for value in values.values() if value is not None], deadline
    )
    return [
        candidate._replace(verdict=_judge_candidate(candidate, state, match, matches))
        if candidate.host in values
        else candidate
        for candidate in candidates
    ]


def _find_value(candidate: Candidate, state: ClusterState, match: AttributeMatch) -> str | None:
    node = state.find_node(candidate.host)
    return None if node is None else state.attributes.get(node.name, {}).get(match.name)


def _judge_candidate(
    candidate: Candidate,
    state: ClusterState,
    match: AttributeMatch,
    matches: Mapping[str, bool | None],
) -> Verdict:
    """Return the verdict: the regular expression must match the whole value, as for grep -Ex."""
    node, value = state.find_node(candidate.host), _find_value(candidate, state, match)
    if node is None:
        return Verdict(Outcome.WITHDRAWN, f"is no cluster node, so it has no {match.name}")
    if (node.name, match.name) in state.contradictory:
        return Verdict(Outcome.UNKNOWN, f"{match.name} has several values")
    if value is None:
        return Verdict(Outcome.WITHDRAWN, f"{match.name} is not set")
    if matches[value] is None:
        problem = f"takes too long to match {match.name}={value[:60]!a}: simplify it"
        return Verdict(Outcome.UNKNOWN, f"realserver_dependent_attribute_value {problem}")
    if matches[value]:
        return Verdict(Outcome.IN, f"{candidate.verdict.reason}, {match.name} is {value}")
    return Verdict(Outcome.WITHDRAWN, f"{match.name} is {value}, wanted {match.pattern.pattern}")
