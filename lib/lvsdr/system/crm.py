"""Ask Pacemaker for its state: one fork of crm_mon, begun before the agent itself is loaded."""

from __future__ import annotations

from .spawn import Child, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..deadline import Deadline

COMMAND = (
    "crm_mon",
    "--one-shot",
    "--inactive",
    "--output-as=xml",
    # Naming the sections halves the cost on a big cluster.  Without tickets crm_mon does not apply
    # what a lost ticket means; options have maintenance-mode.
    "--include=none,nodes,resources,attributes,tickets,options",
)

_CONFIGURATION = ("cibadmin", "--query", "--scope", "configuration")

_begun: list[Child] = []


def begin() -> None:
    """Start crm_mon now; the next ``snapshot`` collects it.  A failure to start shows there."""
    try:
        _begun.append(spawn(COMMAND))
    except OSError:
        return


def snapshot(deadline: Deadline) -> bytes:
    """The document with the cluster's state; raises SourceUnavailable if there is none in time.

    An error of crm_mon's own is in the document, whatever its exit status.
    """
    from ..errors import SourceUnavailable
    from .run import finish, run

    result = finish(_begun.pop(), deadline) if _begun else run(COMMAND, deadline)
    if result.problem or not result.stdout:
        raise SourceUnavailable(f"crm_mon: {result.complaint()}")
    return result.stdout


def configuration(deadline: Deadline) -> bytes:
    """Return the CIB's section ``configuration``; raise SourceUnavailable if it cannot be had."""
    from ..errors import SourceUnavailable
    from .run import run

    result = run(_CONFIGURATION, deadline)
    if result.problem or result.status != 0:
        raise SourceUnavailable(f"cibadmin: {result.complaint()}")
    return result.stdout


def abandon() -> None:
    """End a crm_mon that was begun and is not needed after all."""
    from ..deadline import Deadline
    from .run import finish

    while _begun:
        finish(_begun.pop(), Deadline.after(0.0))
