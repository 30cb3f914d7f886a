"""The condition of a node attribute: ``realserver_dependent_attribute_name`` and ``_value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...pacemaker.cluster import ClusterState
from ...system.matching import match_values
from ...values.deadline import Deadline
from ..model import AttributeMatch, Candidate, Outcome, Verdict


def narrowed(
    found: Iterable[Candidate], state: ClusterState, match: AttributeMatch, deadline: Deadline
) -> list[Candidate]:
    """Return the candidates of other sources; those that were IN must have the attribute."""
    found = list(found)
    values = {
        candidate.host: _value(candidate, state, match)
        for candidate in found
        if candidate.verdict.outcome is Outcome.IN
    }
    fits = match_values(match.pattern, [it for it in values.values() if it is not None], deadline)
    return [
        candidate._replace(verdict=_verdict(candidate, state, match, fits))
        if candidate.host in values
        else candidate
        for candidate in found
    ]


def _value(candidate: Candidate, state: ClusterState, match: AttributeMatch) -> str | None:
    node = state.node(candidate.host)
    return None if node is None else state.attributes.get(node.name, {}).get(match.name)


def _verdict(
    candidate: Candidate,
    state: ClusterState,
    match: AttributeMatch,
    fits: Mapping[str, bool | None],
) -> Verdict:
    """Return the verdict: the regular expression must match the whole value, as for grep -Ex."""
    node, value = state.node(candidate.host), _value(candidate, state, match)
    if node is None:
        return Verdict(Outcome.WITHDRAWN, f"is no cluster node, so it has no {match.name}")
    if (node.name, match.name) in state.contradictory:
        return Verdict(Outcome.UNKNOWN, f"{match.name} has several values")
    if value is None:
        return Verdict(Outcome.WITHDRAWN, f"{match.name} is not set")
    if fits[value] is None:
        too_long = f"takes too long to match {match.name}={value[:60]!a}: simplify it"
        return Verdict(Outcome.UNKNOWN, f"realserver_dependent_attribute_value {too_long}")
    if fits[value]:
        return Verdict(Outcome.IN, f"{candidate.verdict.reason}, {match.name} is {value}")
    return Verdict(Outcome.WITHDRAWN, f"{match.name} is {value}, wanted {match.pattern.pattern}")
