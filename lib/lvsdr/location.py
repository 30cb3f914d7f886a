"""Which address the kernel is to use for each candidate.

Pure: the looking up is somebody else's.  A name that does not resolve says nothing about the real
server behind it, so it becomes UNKNOWN and keeps its place by the address that it had last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .cluster import ClusterState
from .model import Candidate, Located, Outcome, PoolSpec, Resolved, Verdict


def questions(
    candidates: Iterable[Candidate], state: ClusterState, attribute: str | None
) -> dict[str, str]:
    """What to look up for each host: the node's address attribute where there is one.

    A node that lacks the attribute has no entry: its name may well resolve, to the wrong network.
    """
    asked = {}
    for candidate in candidates:
        node = state.node(candidate.host) if attribute is not None else None
        if node is None or attribute is None:
            asked[candidate.host] = candidate.host
        elif attribute in state.attributes.get(node.name, {}):
            asked[candidate.host] = state.attributes[node.name][attribute]
    return asked


def located(
    candidates: Iterable[Candidate],
    answers: Mapping[str, Resolved],
    last: Mapping[str, str],
    spec: PoolSpec,
) -> list[Located]:
    """The candidates with their addresses; ``answers`` and ``last`` (remembered) are by host."""
    missing = Resolved([], f"has no attribute {spec.address_attribute}")
    found = []
    for candidate in candidates:
        answer = answers.get(candidate.host, missing)
        address = _address(answer, last.get(candidate.host))
        verdict = candidate.verdict
        if not answer.addresses and verdict.outcome is Outcome.IN:
            verdict = Verdict(Outcome.UNKNOWN, f"no address: {answer.problem}")
        found.append(Located(candidate.host, address, spec.weight_of(candidate.host), verdict))
    return found


def _address(answer: Resolved, last: str | None) -> str | None:
    """Of several addresses the one that is in use stays; a resolver may answer in any order."""
    if not answer.addresses or last in answer.addresses:
        return last
    return answer.addresses[0]
