"""The ways in which an action can end badly, and the OCF exit code of each.

Everything here is raised, never returned: an exit code that is threaded through calls by hand gets
lost.  The message of an exception is the sentence that the operator reads as the exit reason.
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
    """An action failed; retrying elsewhere or later may help."""

    exit_code = ExitCode.ERR_GENERIC


class NotPermitted(LvsdrError):
    """The process lacks the privilege that the action needs."""

    exit_code = ExitCode.ERR_PERM


class NotInstalled(LvsdrError):
    """A program, kernel module or file that the action needs is missing on this node."""

    exit_code = ExitCode.ERR_INSTALLED


class BadArgument(LvsdrError):
    """A parameter is well formed but cannot be used on this node."""

    exit_code = ExitCode.ERR_ARGS


class InvalidParameters(LvsdrError):
    """One or more parameters are wrong wherever the resource would run.

    ``problems`` has one sentence for each, naming parameter, value and what is legal.
    """

    exit_code = ExitCode.ERR_CONFIGURED

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class DeadlineExceeded(LvsdrError):
    """The time that the operation was given is used up."""


class NotRunning(LvsdrError):
    """What the action is about is no longer there."""

    exit_code = ExitCode.NOT_RUNNING


class OutOfOrder(LvsdrError):
    """The service or address is there, but not as it must be: a restart is the cure."""


class Busy(LvsdrError):
    """Another action of the same resource holds its lock."""


class Unlockable(LvsdrError):
    """The lock of a resource cannot be had at all: its directory is read-only or full, say."""


class Exhausted(LvsdrError):
    """This node is short of processes, memory or descriptors, which may be over in a moment."""


class SourceUnavailable(LvsdrError):
    """A source of truth (crm_mon, a script, the resolver) did not answer: nothing is known."""


class Refused(SourceUnavailable):
    """Nothing listens at the address of a source: the process that answers there has ended."""


class Rejected(SourceUnavailable):
    """A server answered that it does not serve this request: it is alive."""


class NotAsked(LvsdrError):
    """No server could be asked, for want of an address or a worker: nothing is known of any."""


class KernelMismatch(LvsdrError):
    """The IPVS table, read again after a change, is not what was wanted."""
