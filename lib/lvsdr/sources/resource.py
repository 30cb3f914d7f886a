"""Candidates from where a resource runs: ``realserver_dependent_resource`` and its role."""

from __future__ import annotations

from ..cluster import ClusterState, Instance, Role
from ..deadline import Deadline
from ..errors import SourceUnavailable
from ..model import FITNESS, Candidate, Outcome, PoolSpec, Verdict, WantedRole
from .nodes import OUT_OF_SIGHT

_PRESENT = {
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

# While one of these goes on, Pacemaker has put it in the place of the last operation's success, and
# crm_mon shows as failed what has ever failed, however long that is over.
_UNDER_WAY = (Role.STOPPING, Role.PROMOTING, Role.DEMOTING, Role.MIGRATING)


def candidates(state: ClusterState, spec: PoolSpec, _deadline: Deadline) -> list[Candidate]:
    """Every cluster node, judged by the instance of the resource on it.

    Nodes without an instance are named too: a real server of theirs has failed.  Raises
    SourceUnavailable for a resource that the cluster does not have.
    """
    resource = spec.resource or ""
    if resource not in state.resources:
        raise SourceUnavailable(f"the cluster has no resource {resource}")
    instances: dict[str, list[Instance | None]] = {}
    for instance in state.resources[resource]:
        instances.setdefault(instance.node, []).append(instance)
    return [
        Candidate(name, _fittest(resource, instances.get(name, [None]), spec.role))
        for name in state.nodes
    ]


def _fittest(resource: str, instances: list[Instance | None], wanted: WantedRole) -> Verdict:
    """A node may have several instances of a globally unique clone: one that is fit will do."""
    verdicts = [instance_verdict(resource, instance, wanted) for instance in instances]
    return min(verdicts, key=lambda verdict: FITNESS.index(verdict.outcome))


def instance_verdict(resource: str, instance: Instance | None, wanted: WantedRole) -> Verdict:
    """What one instance, or its absence, says about the real server on its node."""
    if instance is None:
        return _not_running(f"{resource} is not running there")
    if instance.blocked or not instance.managed:
        return _left_alone(resource, instance)
    if instance.active and instance.role in _UNDER_WAY:
        return _under_way(resource, instance, wanted)
    if instance.failed:
        return Verdict(Outcome.FAILED, f"{resource} has failed")
    if not instance.active or instance.role in (Role.STOPPED, Role.STARTING):
        return _not_running(f"{resource} is {instance.role.value.lower()} there")
    if instance.role is Role.UNKNOWN:
        return Verdict(Outcome.UNKNOWN, f"the role of {resource} is unknown")
    return _by_role(resource, instance.role, wanted)


def _not_running(reason: str) -> Verdict:
    """Return the verdict on an instance that is gone, and may come back.

    `crm_resource --refresh`, or a node that joins again, makes Pacemaker forget what ran there
    until it has looked, which crm_mon shows like a stop.  An intended stop shows first, as a role
    or a failure.
    """
    return Verdict(Outcome.FAILED, reason, grace=OUT_OF_SIGHT)


def _under_way(resource: str, instance: Instance, wanted: WantedRole) -> Verdict:
    """Of an instance that is on its way to another role, or away; it may have failed, or not."""
    if instance.role is Role.STOPPING:
        return Verdict(Outcome.WITHDRAWN, f"{resource} is being stopped", leaving=True)
    if instance.role is Role.DEMOTING and instance.failed:
        return Verdict(Outcome.WITHDRAWN, f"{resource} is being demoted, and may have failed")
    return _by_role(resource, instance.role, wanted)


def _by_role(resource: str, role: Role, wanted: WantedRole) -> Verdict:
    said = f"{resource} is {role.value}"
    if role in _PRESENT[wanted]:
        return Verdict(Outcome.IN, said)
    return Verdict(Outcome.WITHDRAWN, f"{said}, wanted {wanted.value}")


def _left_alone(resource: str, instance: Instance) -> Verdict:
    """Of an instance that Pacemaker does nothing about.

    An unmanaged one is unknown: in maintenance Pacemaker stops watching it, and crm_mon shows both
    in the same way.  A blocked one, shown as unmanaged too, is in no maintenance: it could not be
    stopped (``on-fail=block``), or is active where it should not be.
    """
    if not instance.blocked:
        return Verdict(Outcome.UNKNOWN, f"{resource} is unmanaged or in maintenance")
    if instance.failed:
        return Verdict(Outcome.FAILED, f"{resource} has failed and is blocked")
    return Verdict(Outcome.UNKNOWN, f"{resource} is blocked")
