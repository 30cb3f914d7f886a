"""The errors that end an action, and the OCF exit code of each.

They are raised and never returned, because an exit code that is passed by hand gets lost.  The
message of an exception is the sentence that the operator reads as the exit reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of a resource agent (OCF Resource Agent API 1.1, section 3.4 "Exit codes")."""

    SUCCESS = 0
    ERR_GENERIC = 1
    ERR_ARGS = 2
    ERR_UNIMPLEMENTED = 3
    ERR_PERM = 4
    ERR_INSTALLED = 5
    ERR_CONFIGURED = 6
    NOT_RUNNING = 7
    RUNNING_PROMOTED = 8
    FAILED_PROMOTED = 9
    DEGRADED = 190
    DEGRADED_PROMOTED = 191


class LvsdrError(Exception):
    """A failure of an action; a retry elsewhere or later may help."""

    exit_code = ExitCode.ERR_GENERIC


class NotPermitted(LvsdrError):
    """A missing privilege of the process."""

    exit_code = ExitCode.ERR_PERM


class NotInstalled(LvsdrError):
    """A program, kernel module or file that this node lacks."""

    exit_code = ExitCode.ERR_INSTALLED


class BadArgument(LvsdrError):
    """A well-formed parameter that cannot be used on this node."""

    exit_code = ExitCode.ERR_ARGS


class InvalidParameters(LvsdrError):
    """One or more parameters that are wrong on every node.

    ``problems`` has one sentence for each, with the parameter, its value and the legal values.
    """

    exit_code = ExitCode.ERR_CONFIGURED

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class DeadlineExceeded(LvsdrError):
    """The end of the time that the operation may take."""


class NotRunning(LvsdrError):
    """The absence of the service or address that the action concerns."""

    exit_code = ExitCode.NOT_RUNNING


class OutOfOrder(LvsdrError):
    """A service or address in a wrong state, which a restart repairs."""


class Busy(LvsdrError):
    """A lock of the resource that another action of it holds."""


class Unlockable(LvsdrError):
    """A lock that cannot be taken at all, for example in a full or read-only directory."""


class Exhausted(LvsdrError):
    """A lack of processes, memory or descriptors on this node, which may be over in a moment."""


class SourceUnavailable(LvsdrError):
    """A source (crm_mon, a script, the resolver) without an answer: nothing is known."""


class Refused(SourceUnavailable):
    """A refused connection: the process that answers for a source at this address has ended."""


class Rejected(SourceUnavailable):
    """A server's answer that it does not serve this request; the server is alive."""


class NotAsked(LvsdrError):
    """A query that reached no server, because an address or a worker is missing."""


class KernelMismatch(LvsdrError):
    """An IPVS table that differs from the wanted one when it is read again after a change."""
