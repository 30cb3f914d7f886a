"""What the state of a cluster node says about a real server on it, whatever named it."""

from __future__ import annotations

from ..cluster import ClusterState, Node
from ..model import Candidate, Outcome, Verdict


def node_verdict(node: Node) -> Verdict | None:
    """The verdict that the node's own state imposes; None for a node in normal operation."""
    if node.unclean:
        return Verdict(Outcome.FAILED, "node is unclean")
    if node.pending:
        return Verdict(Outcome.UNKNOWN, "node is joining the cluster")
    if not node.online and node.maintenance and not node.expected:
        # Pacemaker left and stopped nothing, as for an upgrade: what runs there goes on.
        return Verdict(Outcome.UNKNOWN, "node is in maintenance, without the cluster")
    if not node.online:
        return Verdict(Outcome.FAILED, "node is offline")
    if node.maintenance:
        return Verdict(Outcome.UNKNOWN, "node is in maintenance")
    if node.standby:
        return Verdict(Outcome.WITHDRAWN, "node is on standby", leaving=True)
    if node.shutdown:
        return Verdict(Outcome.WITHDRAWN, "node is shutting down", leaving=True)
    return None


def with_node_state(candidate: Candidate, state: ClusterState) -> Candidate:
    """The candidate under its node's state: a host outside the cluster stays as it is.

    A failed or unknown node settles the matter.  On a node that is merely leaving, a resource that
    already stopped there, or whose state nobody knows, says more than the leaving does; and what
    is no longer to be seen there has stopped.
    """
    node = state.node(candidate.host)
    verdict = node_verdict(node) if node is not None else None
    if node is None or verdict is None:
        return candidate
    if node.pending and not node.expected and candidate.verdict.outcome is Outcome.FAILED:
        return candidate  # Pacemaker has been stopped, Corosync not: it need not come back
    leaving = verdict.outcome is Outcome.WITHDRAWN
    if leaving and candidate.verdict.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        return candidate._replace(verdict=candidate.verdict._replace(grace=0.0))
    return candidate._replace(verdict=verdict)
