"""Verdicts on real servers from the state of their cluster nodes, for all sources."""

from __future__ import annotations

from collections.abc import Sequence

from ...pacemaker.cluster import ClusterState, Node, NodeKind
from ..model import Candidate, Outcome, Verdict

# Seconds in which Pacemaker finds a resource again after it lost the state: the default timeout
# of a probe (decision 026).
OUT_OF_SIGHT_GRACE = 20.0


def explain_untouched_resources(state: ClusterState, resources: Sequence[str]) -> str | None:
    """Return why Pacemaker stops nothing of interest on a node that leaves; None if it does.

    ``resources`` are the resources of the real servers, if there are any.  A real server needs all
    of them, so one that Pacemaker stops suffices.
    """
    if state.maintenance:
        return "the cluster is in maintenance"
    reasons = [_explain_untouched_resource(state, resource) for resource in resources]
    if not reasons or None in reasons:
        return None
    return ", ".join(filter(None, reasons))


def _explain_untouched_resource(state: ClusterState, resource: str) -> str | None:
    """Return why Pacemaker does not stop a resource on a node that leaves; None if it does.

    crm_mon 2.1.5 omits a clone if its only active instances are unmanaged on nodes that are not
    online.
    """
    if resource not in state.resources:
        return f"the cluster has no resource {resource}"
    return f"{resource} is unmanaged or in maintenance" if resource in state.unmanaged else None


def judge_node(node: Node, untouched_reason: str | None = None) -> Verdict | None:
    """Return the verdict that the node's own state imposes; None in normal operation.

    ``untouched_reason`` is the reason why Pacemaker has stopped nothing on the node, if so.
    """
    if node.ambiguous:
        return Verdict(Outcome.UNKNOWN, "several nodes of this name are online")
    if node.unclean or node.lost:
        failure = "connection or container of the node has failed"
        return Verdict(Outcome.FAILED, "node is unclean" if node.unclean else failure)
    if node.pending:
        return Verdict(Outcome.UNKNOWN, "node is joining the cluster")
    if not node.online:
        return _judge_offline_node(node, untouched_reason)
    if node.maintenance:
        return Verdict(Outcome.UNKNOWN, "node is in maintenance")
    if node.standby:
        return Verdict(Outcome.WITHDRAWN, "node is on standby", leaving=True)
    if node.shutdown:
        return Verdict(Outcome.WITHDRAWN, "node is shutting down", leaving=True)
    return None


def _judge_offline_node(node: Node, untouched_reason: str | None) -> Verdict:
    """Return the verdict on an offline node that has not failed for certain, or is a member."""
    if node.kind is NodeKind.MEMBER and node.expected:
        return Verdict(Outcome.FAILED, "node is offline")
    if node.maintenance:
        # Pacemaker ended without stopping resources, as for an upgrade: they continue.
        return Verdict(Outcome.UNKNOWN, "node is in maintenance, without the cluster")
    if untouched_reason is not None:
        return Verdict(Outcome.UNKNOWN, f"node is offline, but {untouched_reason}")
    if node.kind is NodeKind.MEMBER:
        return Verdict(Outcome.FAILED, "node is offline")
    return Verdict(Outcome.FAILED, "connection to the node is lost", grace=OUT_OF_SIGHT_GRACE)


def apply_node_state(
    candidate: Candidate, state: ClusterState, untouched_reason: str | None = None
) -> Candidate:
    """Return the candidate under its node's state; a host outside the cluster is unchanged.

    The state of a failed or unknown node decides.  On a leaving node, a resource that has already
    stopped there, or has an unknown state, has precedence over the leaving.  A resource that is no
    longer visible there has stopped.
    """
    node = state.find_node(candidate.host)
    verdict = judge_node(node, untouched_reason) if node is not None else None
    if node is None or verdict is None:
        return candidate
    has_left = node.pending and not node.expected
    if has_left and not untouched_reason and candidate.verdict.outcome is Outcome.FAILED:
        return candidate  # only Pacemaker was stopped, not Corosync: it need not return
    if verdict.grace and _is_settled(candidate.verdict):
        return candidate
    is_leaving = verdict.outcome is Outcome.WITHDRAWN
    if is_leaving and candidate.verdict.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        return candidate._replace(verdict=candidate.verdict._replace(grace=0.0))
    return candidate._replace(verdict=verdict)


def _is_settled(verdict: Verdict) -> bool:
    """Return whether a verdict outweighs the lost connection to its node.

    Pacemaker does nothing about an UNKNOWN one; a failure without grace is certain.
    """
    has_failed = verdict.outcome is Outcome.FAILED and not verdict.grace
    return has_failed or verdict.outcome is Outcome.UNKNOWN
