"""Reloading what runs, without taking it away for a typing error."""

from __future__ import annotations

from ..errors import BadArgument, ExitCode, InvalidParameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .agent import Handler
    from .context import Context


def unless_broken(reload: Handler, monitor: Handler) -> Handler:
    """The handler of reload-agent, for parameters that cannot be used, too: nothing changes then.

    Pacemaker (2.1, ``pcmk_sched_actions.c``) records a reload as the resource's last start, so that
    an exit code of 2 or 6 would stop what runs, here or on every node.  What is wrong is told all
    the same, and each monitor that follows says it again.  Where nothing runs it is an error.
    """

    def reload_agent(context: Context) -> ExitCode | None:
        try:
            return reload(context)
        except (InvalidParameters, BadArgument) as error:
            if monitor(context) is ExitCode.NOT_RUNNING:
                raise
            problems = error.problems if isinstance(error, InvalidParameters) else (str(error),)
            context.log.exit_reason(*(f"{problem}: left as it is" for problem in problems))
            return None

    return reload_agent
