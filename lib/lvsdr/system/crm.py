"""The programs of Pacemaker: crm_mon, cibadmin and crm_attribute.

All callers get the state of the cluster from here.  crm_mon may start before the agent is loaded.
"""

from __future__ import annotations

from .process.spawn import Child, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..pacemaker.cluster import ClusterState
    from ..values.deadline import Deadline
    from .process.run import Result

COMMAND = (
    "crm_mon",
    "--one-shot",
    "--inactive",
    "--output-as=xml",
    # Naming the sections halves the cost on a big cluster.  Without tickets crm_mon does not apply
    # the effect of a lost ticket.  The section "options" contains maintenance-mode.
    "--include=none,nodes,resources,attributes,tickets,options",
)
CRM_ATTRIBUTE = "crm_attribute"

_WITH_QUORUM = (*COMMAND[:-1], f"{COMMAND[-1]},dc")  # crm_mon names the quorum beside the DC

_CONFIGURATION = ("cibadmin", "--query", "--scope", "configuration")
_DISCONNECTED = 102  # CRM_EX_DISCONNECT of crm_mon: Pacemaker is not running here
_WRONG_USAGE = 64  # CRM_EX_USAGE
_SCORE_TIMEOUT = 5.0  # seconds; crm_attribute only passes the score on

_started: list[Child] = []


def start_crm_mon() -> None:
    """Start crm_mon now; the next ``read_cluster_state`` reads it and reports a failed start."""
    try:
        _started.append(spawn(COMMAND))
    except OSError:
        return


def end_crm_mon() -> None:
    """End a started crm_mon if its result is not needed."""
    from ..values.deadline import Deadline
    from .process.run import finish

    while _started:
        finish(_started.pop(), Deadline.after(0.0))


def read_cluster_state(deadline: Deadline) -> ClusterState:
    """Return the state of the cluster; raise SourceUnavailable without one in time."""
    return _cluster_state(_finish_crm_mon(deadline))


def read_cluster_state_with_quorum(deadline: Deadline) -> ClusterState:
    """Return the same, with the quorum; only this needs the section of the coordinator."""
    from .process.run import run

    return _cluster_state(run(_WITH_QUORUM, deadline))


def read_cluster_state_if_any(deadline: Deadline) -> ClusterState | None:
    """Return the state of the cluster, or None if no Pacemaker runs on this host.

    Raise SourceUnavailable if there may be a cluster, but crm_mon gives no answer.
    """
    from .process.run import NOT_THERE

    result = _finish_crm_mon(deadline)
    return None if result.status in (NOT_THERE, _DISCONNECTED) else _cluster_state(result)


def _finish_crm_mon(deadline: Deadline) -> Result:
    """Return the result of the started crm_mon, or of a new one."""
    from .process.run import finish, run

    return finish(_started.pop(), deadline) if _started else run(COMMAND, deadline)


def _cluster_state(result: Result) -> ClusterState:
    """Return the state in the document of crm_mon, which has its errors, whatever its status."""
    from ..errors import SourceUnavailable
    from ..pacemaker.crm_mon import parse

    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.describe_failure()}")
    return parse(result.stdout)


def read_configuration(deadline: Deadline) -> bytes:
    """Return the CIB's section ``configuration``; raise SourceUnavailable if cibadmin fails."""
    from ..errors import SourceUnavailable
    from .process.run import run

    result = run(_CONFIGURATION, deadline)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"cibadmin: {result.describe_failure()}")
    return result.stdout


def set_promotion_score(instance: str, score: int | None, deadline: Deadline) -> None:
    """Set the promotion score of ``instance`` on this node until it leaves; None removes it.

    Raise SourceUnavailable if Pacemaker did not accept the score.  The name is part of the option,
    because a bare ``--promotion`` consumes the next argument in some versions.
    """
    from ..errors import SourceUnavailable
    from .process.run import run

    change = ("--lifetime=reboot", "--delete" if score is None else f"--update={score}")
    command = (CRM_ATTRIBUTE, f"--promotion={instance}", *change)
    result = run(command, deadline, timeout=_SCORE_TIMEOUT)
    if result.status == _WRONG_USAGE:
        # Pacemaker 2.0 lacks the option and uses this attribute name (crm_master).
        command = (CRM_ATTRIBUTE, f"--name=master-{instance}", *change)
        result = run(command, deadline, timeout=_SCORE_TIMEOUT)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"promotion score not set: {result.describe_failure()}")
