"""The sources of candidates.

A source returns its candidates, each with a verdict and its reason.  A configured list script is
the only source that names candidates.  Otherwise the candidates come from the first of these: the
nodes of resources, the listed hosts, all cluster members.  A node attribute may narrow them.  The
cluster's state of a node itself (offline, standby, maintenance, ...) has precedence over any
verdict of a source.

To add a source, write a module with ``list_candidates(state, spec, deadline)`` and add a line to
``SOURCES``.
"""

from __future__ import annotations

from collections.abc import Callable

from ...errors import SourceUnavailable
from ...pacemaker.cluster import ClusterState
from ...values.deadline import Deadline
from ...values.light_typing import NamedTuple
from ..model import Candidate, Outcome, PoolSpec, Verdict
from . import attribute, members, resource, script, static
from .nodes import apply_node_state, explain_untouched_resources

Source = Callable[[ClusterState, PoolSpec, Deadline], list[Candidate]]

SOURCES: dict[str, Source] = {
    "script": script.list_candidates,
    "resource": resource.list_candidates,
    "static": static.list_candidates,
    "members": members.list_candidates,
}


class Survey(NamedTuple):
    """The result of the sources."""

    candidates: list[Candidate]
    unavailable_reason: str | None = None
    """Why the source of the candidates did not answer; then no candidate can be judged."""


def query_sources(state: ClusterState, spec: PoolSpec, deadline: Deadline) -> Survey:
    """Query the configured sources for the candidates.

    A source that does not answer is no error here.  All cluster members and listed hosts become
    UNKNOWN candidates, so that the cluster's state of its nodes still counts.
    """
    try:
        candidates = SOURCES[choose_source(spec)](state, spec, deadline)
    except SourceUnavailable as error:
        return Survey(_list_unknown_candidates(state, spec, str(error)), str(error))
    reason = explain_untouched(state, spec)
    candidates = [apply_node_state(candidate, state, reason) for candidate in candidates]
    if spec.attribute is not None and not (spec.list_script or spec.check_script):
        candidates = attribute.narrow_candidates(candidates, state, spec.attribute, deadline)
    return Survey(candidates)


def choose_source(spec: PoolSpec) -> str:
    """Return the name of the source of the candidates: the first one that is configured."""
    if spec.list_script is not None:
        return "script"
    if spec.resources:
        return "resource"
    return "static" if spec.weights else "members"


def list_followed_resources(spec: PoolSpec) -> tuple[str, ...]:
    """Return the resources that name the candidates, if resources do."""
    return spec.resources if choose_source(spec) == "resource" else ()


def explain_untouched(state: ClusterState, spec: PoolSpec) -> str | None:
    """Return the reason why the cluster leaves the real servers' resources alone, if it does."""
    return explain_untouched_resources(state, list_followed_resources(spec))


def _list_unknown_candidates(state: ClusterState, spec: PoolSpec, reason: str) -> list[Candidate]:
    verdict = Verdict(Outcome.UNKNOWN, reason)
    hosts = dict.fromkeys((*state.nodes, *spec.weights))
    untouched_reason = explain_untouched(state, spec)
    return [apply_node_state(Candidate(host, verdict), state, untouched_reason) for host in hosts]
