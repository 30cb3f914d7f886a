"""Candidates by the nodes that run resources: ``realserver_dependent_resource`` and its role."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import SourceUnavailable
from ...pacemaker.cluster import ClusterState, Instance, Role
from ...values.deadline import Deadline
from ..model import FITNESS, Candidate, Outcome, PoolSpec, Verdict, WantedRole
from .nodes import OUT_OF_SIGHT_GRACE

_PRESENT_ROLES = {
    WantedRole.ANY: (
        Role.STARTED,
        Role.UNPROMOTED,
        Role.PROMOTED,
        Role.PROMOTING,
        Role.DEMOTING,
        Role.MIGRATING,
    ),
    WantedRole.PROMOTED: (Role.PROMOTED,),
    WantedRole.UNPROMOTED: (Role.UNPROMOTED,),
}

# During these operations, Pacemaker records them in the place of the last operation's success, and
# crm_mon shows an instance as failed after any earlier failure, however old.
_ROLES_UNDER_WAY = (Role.STOPPING, Role.PROMOTING, Role.DEMOTING, Role.MIGRATING)

# crm_mon shows a promotable instance that was not promoted as Unpromoted, never as Started
# (native_displayable_role() in Pacemaker's lib/pengine/native.c).
_ROLES_WITHOUT_PROMOTION = (Role.STARTED, Role.MIGRATING)


def list_candidates(state: ClusterState, spec: PoolSpec, _deadline: Deadline) -> list[Candidate]:
    """Return every cluster node, judged by the instances of the resources on it.

    Nodes without an instance are included: their real server has failed.  Raises SourceUnavailable
    for a resource that the cluster does not have.
    """
    missing = [resource for resource in spec.resources if resource not in state.resources]
    if missing:
        raise SourceUnavailable(f"the cluster has no resource {', '.join(missing)}")
    verdicts = [_judge_resource(resource, state, spec) for resource in spec.resources]
    return [
        Candidate(name, combine_verdicts(by_node[name] for by_node in verdicts))
        for name in state.nodes
    ]


def combine_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a node that must be fit by all of ``verdicts``: the worst one.

    A known verdict on one resource counts although another one is UNKNOWN: no state of the unknown
    one could make the node fit (decision 051).
    """
    verdicts = list(verdicts)
    worst = max(verdicts, key=_rank_verdict)
    if worst.outcome is not Outcome.IN:
        return worst
    return worst._replace(reason=", ".join(verdict.reason for verdict in verdicts))


def _rank_verdict(verdict: Verdict) -> tuple[int, bool, bool]:
    """Return the rank: a certain failure is worse than one with a grace, leaving than staying."""
    return FITNESS.index(verdict.outcome), not verdict.grace, verdict.leaving


def _judge_resource(resource: str, state: ClusterState, spec: PoolSpec) -> dict[str, Verdict]:
    """Return the verdict on each node by one of the resources."""
    instances: dict[str, list[Instance | None]] = {}
    for instance in state.resources[resource]:
        instances.setdefault(instance.node, []).append(instance)
    return {
        name: _choose_fittest_verdict(resource, instances.get(name, [None]), spec)
        for name in state.nodes
    }


def _choose_fittest_verdict(
    resource: str, instances: list[Instance | None], spec: PoolSpec
) -> Verdict:
    """Return the best verdict of a node's instances: a globally unique clone may have several."""
    verdicts = [judge_instance(resource, it, _choose_role(it, spec)) for it in instances]
    return min(verdicts, key=lambda verdict: FITNESS.index(verdict.outcome))


def _choose_role(instance: Instance | None, spec: PoolSpec) -> WantedRole:
    """Return the wanted role of an instance: of several resources, not all can be promoted."""
    if len(spec.resources) == 1 or instance is None:
        return spec.role
    return WantedRole.ANY if instance.role in _ROLES_WITHOUT_PROMOTION else spec.role


def judge_instance(resource: str, instance: Instance | None, wanted: WantedRole) -> Verdict:
    """Return the verdict on a node's real server by one instance, or by its absence."""
    if instance is None:
        return _judge_missing_instance(f"{resource} is not running there")
    if instance.blocked or not instance.managed:
        return _judge_untouched_instance(resource, instance)
    if instance.active and instance.role in _ROLES_UNDER_WAY:
        return _judge_changing_instance(resource, instance, wanted)
    if instance.failed:
        return Verdict(Outcome.FAILED, f"{resource} has failed")
    if not instance.active or instance.role in (Role.STOPPED, Role.STARTING):
        return _judge_missing_instance(f"{resource} is {instance.role.value.lower()} there")
    if instance.role is Role.UNKNOWN:
        return Verdict(Outcome.UNKNOWN, f"the role of {resource} is unknown")
    return _judge_role(resource, instance.role, wanted)


def _judge_missing_instance(reason: str) -> Verdict:
    """Return the verdict on an instance that is gone, and may come back.

    `crm_resource --refresh` makes Pacemaker forget the resources on a node until its next probe.
    So does a node that joins again. crm_mon shows this like a stop.  An intended stop shows first,
    as a role or a failure.
    """
    return Verdict(Outcome.FAILED, reason, grace=OUT_OF_SIGHT_GRACE)


def _judge_changing_instance(resource: str, instance: Instance, wanted: WantedRole) -> Verdict:
    """Return the verdict on an instance that is changing its role or stopping.

    It may have failed, or not.
    """
    if instance.role is Role.STOPPING:
        return Verdict(Outcome.WITHDRAWN, f"{resource} is being stopped", leaving=True)
    if instance.role is Role.DEMOTING and instance.failed:
        return Verdict(Outcome.WITHDRAWN, f"{resource} is being demoted, and may have failed")
    return _judge_role(resource, instance.role, wanted)


def _judge_role(resource: str, role: Role, wanted: WantedRole) -> Verdict:
    description = f"{resource} is {role.value}"
    if role in _PRESENT_ROLES[wanted]:
        return Verdict(Outcome.IN, description)
    return Verdict(Outcome.WITHDRAWN, f"{description}, wanted {wanted.value}")


def _judge_untouched_instance(resource: str, instance: Instance) -> Verdict:
    """Return the verdict on an instance that Pacemaker leaves alone.

    An unmanaged instance is unknown: in maintenance Pacemaker stops monitoring it, and crm_mon
    shows both states in the same way.  A blocked instance, also shown as unmanaged, is not in
    maintenance: it could not be stopped (``on-fail=block``), or is active on a node where it should
    not be.
    """
    if not instance.blocked:
        return Verdict(Outcome.UNKNOWN, f"{resource} is unmanaged or in maintenance")
    if instance.failed:
        return Verdict(Outcome.FAILED, f"{resource} has failed and is blocked")
    return Verdict(Outcome.UNKNOWN, f"{resource} is blocked")
