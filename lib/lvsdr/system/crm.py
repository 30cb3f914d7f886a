"""The programs of Pacemaker: crm_mon, cibadmin and crm_attribute.

All callers get the state of the cluster from here.  crm_mon may start before the agent is loaded.
"""

from __future__ import annotations

import os

from .process.spawn import Child, spawn
from .small_files import compute_fingerprint

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

# crm_mon shows the quorum with the coordinator (DC).
_COMMAND_WITH_QUORUM = (*COMMAND[:-1], f"{COMMAND[-1]},dc")

_CIBADMIN_COMMAND = ("cibadmin", "--query", "--scope", "configuration")
_DISCONNECTED = 102  # CRM_EX_DISCONNECT of crm_mon: Pacemaker is not running here
_WRONG_USAGE = 64  # CRM_EX_USAGE
_CIB_TIMEOUT = 3.0  # seconds for reading the configuration
_SCORE_TIMEOUT = 5.0  # seconds; crm_attribute only passes the score on

CIB_FILE = "CIB_file"
"""The variable with a file that crm_mon reads in place of a cluster."""

_children: list[Child] = []  # the crm_mon that nothing has read yet
_fingerprints: list[str] = []  # that of CIB_file before the last start of crm_mon


def start_crm_mon() -> None:
    """Start crm_mon now; the next ``read_cluster_state`` reads it and reports a failed start."""
    child = _spawn_crm_mon(COMMAND)
    if child is not None:
        _children.append(child)


def end_crm_mon() -> None:
    """End a started crm_mon if its result is not needed."""
    from ..values.deadline import Deadline
    from .process.run import finish

    while _children:
        finish(_children.pop(), Deadline.after(0.0))


def read_fingerprint() -> str:
    """Return the fingerprint that CIB_file had when crm_mon was last started; empty without one."""
    return _fingerprints[-1] if _fingerprints else ""


def read_cluster_state(deadline: Deadline) -> ClusterState:
    """Return the state of the cluster; raise SourceUnavailable without one in time.

    Raise NotInstalled without lxml.
    """
    return _parse_result(_finish_crm_mon(deadline))


def read_cluster_state_with_quorum(deadline: Deadline) -> ClusterState:
    """Return the same, with the quorum; only this needs the section of the coordinator."""
    return _parse_result(_run_crm_mon(_COMMAND_WITH_QUORUM, deadline))


def read_cluster_state_if_any(deadline: Deadline) -> ClusterState | None:
    """Return the state of the cluster, or None if no Pacemaker runs on this host.

    Raise SourceUnavailable if there may be a cluster, but crm_mon gives no answer.
    """
    from .process.run import NOT_THERE

    result = _finish_crm_mon(deadline)
    return None if result.status in (NOT_THERE, _DISCONNECTED) else _parse_result(result)


def _finish_crm_mon(deadline: Deadline) -> Result:
    """Return the result of the started crm_mon, or of a new one."""
    if _children:
        return _import_lxml_beside(_children.pop(), deadline)
    return _run_crm_mon(COMMAND, deadline)


def _run_crm_mon(command: tuple[str, ...], deadline: Deadline) -> Result:
    from .process.run import run

    child = None if deadline.is_expired() else _spawn_crm_mon(command)
    # run() reports the reason of a failed start.
    return run(command, deadline) if child is None else _import_lxml_beside(child, deadline)


def _spawn_crm_mon(command: tuple[str, ...]) -> Child | None:
    _fingerprints[:] = [compute_fingerprint(os.environ.get(CIB_FILE, ""))]
    try:
        return spawn(command)
    except OSError:
        return None


def _import_lxml_beside(child: Child, deadline: Deadline) -> Result:
    """Return the result of a crm_mon; import lxml while it runs."""
    from ..errors import LvsdrError
    from ..pacemaker.elements import require_lxml
    from ..values.deadline import Deadline as Until
    from .process.run import finish

    try:
        require_lxml()
    except LvsdrError:
        finish(child, Until.after(0.0))
        raise
    return finish(child, deadline)


def _parse_result(result: Result) -> ClusterState:
    """Return the state in the document of crm_mon, which has its errors, whatever its status."""
    from ..errors import SourceUnavailable
    from ..pacemaker.crm_mon import parse_cluster_state

    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.describe_failure()}")
    state = parse_cluster_state(result.stdout)
    _require_complete_file(os.environ.get(CIB_FILE, ""))
    return state


def _require_complete_file(path: str) -> None:
    """Raise SourceUnavailable if the cluster is a file that is not complete XML.

    crm_mon repairs such a file without an error (XML_PARSE_RECOVER in Pacemaker's xml.c), so its
    document may lack nodes.  It reports a missing file itself, and bzip2 has checksums.
    """
    from ..errors import SourceUnavailable
    from ..pacemaker.elements import parse_document

    if path.endswith(".bz2") or not os.path.isfile(path):
        return
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise SourceUnavailable(f"CIB_file {path}: {error.strerror}") from None
    parse_document(content, f"CIB_file {path}")


def read_configuration(deadline: Deadline) -> bytes:
    """Return the CIB's section ``configuration``; raise SourceUnavailable if cibadmin fails.

    It only completes what crm_mon shows, so it may not use up the time of a cycle.
    """
    from ..errors import SourceUnavailable
    from .process.run import run

    result = run(_CIBADMIN_COMMAND, deadline.limit_to(_CIB_TIMEOUT))
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
