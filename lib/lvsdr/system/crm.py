"""Queries of Pacemaker's state: one fork of crm_mon, started before the agent itself is loaded."""

from __future__ import annotations

from .process.spawn import Child, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..values.deadline import Deadline

COMMAND = (
    "crm_mon",
    "--one-shot",
    "--inactive",
    "--output-as=xml",
    # Naming the sections halves the cost on a big cluster.  Without tickets crm_mon does not apply
    # the effect of a lost ticket.  The section "options" contains maintenance-mode.
    "--include=none,nodes,resources,attributes,tickets,options",
)

_CONFIGURATION = ("cibadmin", "--query", "--scope", "configuration")

_begun: list[Child] = []


def begin() -> None:
    """Start crm_mon now; the next ``snapshot`` collects its output and any failure to start."""
    try:
        _begun.append(spawn(COMMAND))
    except OSError:
        return


def snapshot(deadline: Deadline) -> bytes:
    """Return the document with the cluster's state; raise SourceUnavailable without one in time.

    The document contains an error of crm_mon itself, whatever the exit status.
    """
    from ..errors import SourceUnavailable
    from .process.run import finish, run

    result = finish(_begun.pop(), deadline) if _begun else run(COMMAND, deadline)
    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.complaint()}")
    return result.stdout


def configuration(deadline: Deadline) -> bytes:
    """Return the CIB's section ``configuration``; raise SourceUnavailable if cibadmin fails."""
    from ..errors import SourceUnavailable
    from .process.run import run

    result = run(_CONFIGURATION, deadline)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"cibadmin: {result.complaint()}")
    return result.stdout


def abandon() -> None:
    """End a started crm_mon if its result is not needed."""
    from ..values.deadline import Deadline
    from .process.run import finish

    while _begun:
        finish(_begun.pop(), Deadline.after(0.0))
