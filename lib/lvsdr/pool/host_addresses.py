"""The choice of the address that the kernel uses for each candidate.

Pure: look-ups happen elsewhere.  A name that does not resolve is no evidence against its real
server.  The real server becomes UNKNOWN and keeps its place by its last address.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from ..pacemaker.cluster import ClusterState
from .model import Candidate, Located, Outcome, PoolSpec, Resolved, Verdict


def choose_lookup_names(
    candidates: Iterable[Candidate],
    state: ClusterState,
    attribute: str | None,
    known_hosts: Container[str] = frozenset(),
) -> dict[str, str]:
    """Return the name to look up for each host: the node's address attribute if one is configured.

    A node that lacks the attribute has no entry: its name may resolve, but to the wrong network.  A
    candidate that is not IN and is among ``known_hosts`` has none, either.  Its last address
    identifies its real server, and the resolver may be slow.
    """
    names = {}
    for candidate in candidates:
        if candidate.verdict.outcome is not Outcome.IN and candidate.host in known_hosts:
            continue
        node = state.find_node(candidate.host) if attribute is not None else None
        if node is None or attribute is None:
            names[candidate.host] = candidate.host
        elif attribute in state.attributes.get(node.name, {}):
            names[candidate.host] = state.attributes[node.name][attribute]
    return names


def assign_answers(
    lookup_names: Mapping[str, str], answers: Mapping[str, Resolved], attribute: str | None
) -> dict[str, Resolved]:
    """Return the answers by host; a problem with an attribute's value names the attribute."""
    answers_by_host = {host: answers[name] for host, name in lookup_names.items()}
    return {
        host: answer
        if answer.addresses or lookup_names[host] == host
        else answer._replace(problem=f"{attribute}: {answer.problem}")
        for host, answer in answers_by_host.items()
    }


def remove_unusable_addresses(answer: Resolved, unusable_reasons: Mapping[str, str]) -> Resolved:
    """Remove the addresses that no real server can have from an answer.

    ``unusable_reasons`` has the reason by address.  The check applies to every real server and
    fallback from any source.
    """
    usable_addresses = [address for address in answer.addresses if address not in unusable_reasons]
    if len(usable_addresses) == len(answer.addresses):
        return answer
    problem = next(
        f"{address} {unusable_reasons[address]}"
        for address in answer.addresses
        if address in unusable_reasons
    )
    return Resolved(usable_addresses, "" if usable_addresses else problem)


def locate_candidates(
    candidates: Iterable[Candidate],
    answers: Mapping[str, Resolved],
    last_addresses: Mapping[str, str],
    spec: PoolSpec,
) -> list[Located]:
    """Return the candidates with addresses; ``answers`` and ``last_addresses`` are by host."""
    missing_answer = Resolved([], f"has no attribute {spec.address_attribute}")
    servers = []
    for candidate in candidates:
        answer = answers.get(candidate.host, missing_answer)
        address = _choose_address(answer, last_addresses.get(candidate.host))
        verdict = candidate.verdict
        if not answer.addresses and verdict.outcome is Outcome.IN:
            verdict = Verdict(Outcome.UNKNOWN, f"no address: {answer.problem}")
        weight, weight_source = spec.find_weight(candidate.host)
        servers.append(Located(candidate.host, address, weight, verdict, weight_source))
    return servers


def _choose_address(answer: Resolved, last_address: str | None) -> str | None:
    """Return the address in use, if it is still valid: a resolver may answer in any order."""
    if not answer.addresses or last_address in answer.addresses:
        return last_address
    return answer.addresses[0]
