"""Where candidates come from.

A source answers with the candidates that it can speak of, each with a verdict and its reason.  The
list script, where there is one, is alone in naming them; otherwise the nodes of a resource, the
listed hosts, or all cluster members are looked at, in this precedence, and a node attribute may
narrow them.  What the cluster knows of a node itself (offline, standby, maintenance, ...) goes
before what any source says of it.

Adding a source: a module with ``candidates(state, spec, deadline)`` and a line in ``SOURCES``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..cluster import ClusterState
from ..deadline import Deadline
from ..errors import SourceUnavailable
from ..model import Candidate, Outcome, PoolSpec, Verdict
from ..typed import NamedTuple
from . import attribute, members, resource, script, static
from .nodes import left_alone, with_node_state

Source = Callable[[ClusterState, PoolSpec, Deadline], list[Candidate]]

SOURCES: dict[str, Source] = {
    "script": script.candidates,
    "resource": resource.candidates,
    "static": static.candidates,
    "members": members.candidates,
    "attribute": attribute.candidates,
}


class Survey(NamedTuple):
    """What the sources say."""

    candidates: list[Candidate]
    unavailable: str | None = None
    """Why the source that names them did not answer; then nobody else can be judged either."""


def survey(state: ClusterState, spec: PoolSpec, deadline: Deadline) -> Survey:
    """Ask the configured sources who may be a real server.

    A source that does not answer is no error here: all cluster members and listed hosts become
    UNKNOWN candidates, so that what the cluster knows of its nodes still counts.
    """
    try:
        found = SOURCES[chosen(spec)](state, spec, deadline)
    except SourceUnavailable as error:
        return Survey(_everyone_unknown(state, spec, str(error)), str(error))
    untouched = left_alone(state, followed(spec))
    judged = [with_node_state(candidate, state, untouched) for candidate in found]
    if spec.attribute is not None and not (spec.list_script or spec.check_script):
        judged = attribute.narrowed(judged, state, spec.attribute, deadline)
    return Survey(judged)


def chosen(spec: PoolSpec) -> str:
    """The name of the source that names the candidates: the first one that is configured."""
    if spec.list_script is not None:
        return "script"
    if spec.resource is not None:
        return "resource"
    return "static" if spec.weights else "members"


def followed(spec: PoolSpec) -> str | None:
    """Return the resource that names the candidates, if one does."""
    return spec.resource if chosen(spec) == "resource" else None


def _everyone_unknown(state: ClusterState, spec: PoolSpec, reason: str) -> list[Candidate]:
    verdict = Verdict(Outcome.UNKNOWN, reason)
    hosts = dict.fromkeys((*state.nodes, *spec.weights))
    untouched = left_alone(state, followed(spec))
    return [with_node_state(Candidate(host, verdict), state, untouched) for host in hosts]
