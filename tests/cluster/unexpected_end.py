"""Ends of Pacemaker that no test has caused.

On a busy machine a daemon of Pacemaker may give up while a node comes up. pacemakerd then ends for
good. Without this check, a test would wait minutes for a node that cannot come.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable

from tests.cluster.node import Node

LINES = 15  # of the log, in an error


class PacemakerEnded(AssertionError):
    """An end of Pacemaker on a node that no test has caused."""


def mend(nodes: Iterable[Node], say: Callable[[str], object]) -> int:
    """Start Pacemaker again on nodes where it ended by itself in a bring-up; return the number.

    Raises PacemakerEnded if that has been done since the node's start, or if the node was up
    already.
    """
    count = 0
    for node in nodes:
        reason = why_ended(node.pacemaker_status(), node.new_log())
        if not reason:
            continue
        if not node.may_restart:
            end = "\n".join(node.log().splitlines()[-LINES:])
            raise PacemakerEnded(f"{node.name}: {reason}; its log ends with:\n{end}")
        say(f"{node.name}: {reason} while it came up; starting it again")
        node.restart()
        count += 1
    return count


# The description of exit status 100, CRM_EX_FATAL: a daemon logs it when it exits. pacemakerd then
# stops all others, and itself at last.
GIVES_UP = "will not respawn"


def why_ended(status: int | None, logged: str) -> str:
    """Return why Pacemaker has ended, or ends, by itself; "" if it runs or was stopped.

    `status` is the exit status of pacemakerd, None if it runs; negative is the number of a signal.

    >>> why_ended(None, "Pacemaker is running")
    ''
    >>> why_ended(0, "Shutdown complete")
    ''
    >>> why_ended(100, "")
    'pacemakerd has exited with status 100'
    >>> why_ended(-9, "")
    'pacemakerd was killed by SIGKILL'
    """
    for line in logged.splitlines():
        if GIVES_UP in line:
            return f"Pacemaker has given up ({line.strip()})"
    if not status:
        return ""
    if status < 0:
        return f"pacemakerd was killed by {signal.Signals(-status).name}"
    return f"pacemakerd has exited with status {status}"
