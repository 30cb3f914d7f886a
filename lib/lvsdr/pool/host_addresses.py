"""The choice of the address that the kernel uses for each candidate.

Pure: look-ups happen elsewhere.  A name that does not resolve is no evidence against its real
server.  The real server becomes UNKNOWN and keeps its place by its last address.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from ..pacemaker.cluster import ClusterState
from .model import Candidate, Located, Outcome, PoolSpec, Resolved, Verdict


def questions(
    candidates: Iterable[Candidate],
    state: ClusterState,
    attribute: str | None,
    known: Container[str] = frozenset(),
) -> dict[str, str]:
    """Return the name to look up for each host: the node's address attribute if one is configured.

    A node that lacks the attribute has no entry: its name may resolve, but to the wrong network.  A
    candidate that is not IN and has a ``known`` address has none, either.  That address identifies
    its real server, and the resolver may be slow.
    """
    asked = {}
    for candidate in candidates:
        if candidate.verdict.outcome is not Outcome.IN and candidate.host in known:
            continue
        node = state.find_node(candidate.host) if attribute is not None else None
        if node is None or attribute is None:
            asked[candidate.host] = candidate.host
        elif attribute in state.attributes.get(node.name, {}):
            asked[candidate.host] = state.attributes[node.name][attribute]
    return asked


def answered(
    asked: Mapping[str, str], answers: Mapping[str, Resolved], attribute: str | None
) -> dict[str, Resolved]:
    """Return the answers by host; a problem with an attribute's value names the attribute."""
    found = {host: answers[question] for host, question in asked.items()}
    return {
        host: it
        if it.addresses or asked[host] == host
        else it._replace(problem=f"{attribute}: {it.problem}")
        for host, it in found.items()
    }


def fit(answer: Resolved, never: Mapping[str, str]) -> Resolved:
    """Remove the addresses that no real server can have from an answer; ``never`` has the reasons.

    The check applies to every real server and fallback from any source.
    """
    usable = [address for address in answer.addresses if address not in never]
    if len(usable) == len(answer.addresses):
        return answer
    problem = next(f"{text} {never[text]}" for text in answer.addresses if text in never)
    return Resolved(usable, "" if usable else problem)


def located(
    candidates: Iterable[Candidate],
    answers: Mapping[str, Resolved],
    last: Mapping[str, str],
    spec: PoolSpec,
) -> list[Located]:
    """Return the candidates with addresses; ``answers`` and ``last`` (remembered) are by host."""
    missing = Resolved([], f"has no attribute {spec.address_attribute}")
    found = []
    for candidate in candidates:
        answer = answers.get(candidate.host, missing)
        address = _address(answer, last.get(candidate.host))
        verdict = candidate.verdict
        if not answer.addresses and verdict.outcome is Outcome.IN:
            verdict = Verdict(Outcome.UNKNOWN, f"no address: {answer.problem}")
        weight, weight_from = spec.weight_of(candidate.host)
        found.append(Located(candidate.host, address, weight, verdict, weight_from))
    return found


def _address(answer: Resolved, last: str | None) -> str | None:
    """Return the address in use, if it is still valid: a resolver may answer in any order."""
    if not answer.addresses or last in answer.addresses:
        return last
    return answer.addresses[0]
