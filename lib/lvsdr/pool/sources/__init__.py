"""The sources of candidates.

A source returns its candidates, each with a verdict and its reason.  A configured list script is
the only source that names candidates.  Otherwise the candidates come from the first of these: the
nodes of a resource, the listed hosts, all cluster members.  A node attribute may narrow them.  The
cluster's state of a node itself (offline, standby, maintenance, ...) has precedence over any
verdict of a source.

To add a source, write a module with ``candidates(state, spec, deadline)`` and add a line to
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
from .nodes import left_alone, with_node_state

Source = Callable[[ClusterState, PoolSpec, Deadline], list[Candidate]]

SOURCES: dict[str, Source] = {
    "script": script.candidates,
    "resource": resource.candidates,
    "static": static.candidates,
    "members": members.candidates,
}


class Survey(NamedTuple):
    """The result of the sources."""

    candidates: list[Candidate]
    unavailable: str | None = None
    """Why the source of the candidates did not answer; then no candidate can be judged."""


def survey(state: ClusterState, spec: PoolSpec, deadline: Deadline) -> Survey:
    """Query the configured sources for the candidates.

    A source that does not answer is no error here.  All cluster members and listed hosts become
    UNKNOWN candidates, so that the cluster's state of its nodes still counts.
    """
    try:
        found = SOURCES[chosen(spec)](state, spec, deadline)
    except SourceUnavailable as error:
        return Survey(_everyone_unknown(state, spec, str(error)), str(error))
    reason = untouched(state, spec)
    judged = [with_node_state(candidate, state, reason) for candidate in found]
    if spec.attribute is not None and not (spec.list_script or spec.check_script):
        judged = attribute.narrowed(judged, state, spec.attribute, deadline)
    return Survey(judged)


def chosen(spec: PoolSpec) -> str:
    """Return the name of the source of the candidates: the first one that is configured."""
    if spec.list_script is not None:
        return "script"
    if spec.resource is not None:
        return "resource"
    return "static" if spec.weights else "members"


def followed(spec: PoolSpec) -> str | None:
    """Return the resource that names the candidates, if one does."""
    return spec.resource if chosen(spec) == "resource" else None


def untouched(state: ClusterState, spec: PoolSpec) -> str | None:
    """Return the reason why the cluster leaves the real servers' resource alone, if it does."""
    return left_alone(state, followed(spec))


def _everyone_unknown(state: ClusterState, spec: PoolSpec, reason: str) -> list[Candidate]:
    verdict = Verdict(Outcome.UNKNOWN, reason)
    hosts = dict.fromkeys((*state.nodes, *spec.weights))
    alone = untouched(state, spec)
    return [with_node_state(Candidate(host, verdict), state, alone) for host in hosts]
