"""The actions of an agent, and the reload that survives broken parameters."""

from __future__ import annotations

from ..errors import BadArgument, ExitCode, InvalidParameters
from ..values.light_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Optional

    from .context import Context

    Handler = Callable[[Context], Optional[ExitCode]]


class Action(NamedTuple):
    """An action of the agent.

    ``handler`` returns the exit code, or None for success, and raises LvsdrError to fail.
    ``timeout``, ``interval`` (as in ``10s``), ``depth`` and ``role`` are advice in the metadata.
    An action may be listed several times, with different advice.  The first one's handler counts.
    """

    name: str
    handler: Handler
    timeout: str
    interval: str = ""
    depth: str = ""
    role: str = ""
    advertised: bool = True


def guard_reload(reload: Handler, monitor: Handler) -> Handler:
    """Return a handler of reload-agent that changes nothing if the parameters are broken.

    Pacemaker (2.1, ``pcmk_sched_actions.c``) records a reload as the resource's last start.  So an
    exit code of 2 or 6 would stop the running resource, here or on every node.  The problems are
    reported nevertheless, now and by each monitor that follows.  If nothing runs, the error stands.
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
