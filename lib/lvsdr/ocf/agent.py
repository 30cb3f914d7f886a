"""An agent: its actions, its parameters, and its entry point for Pacemaker.

The executable only has to call ``AGENT.run(sys.argv[1:], os.environ)``.  The framework itself
implements meta-data, usage and validate-all.  It turns exceptions of an action into an exit code
and an exit reason.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from ..errors import ExitCode, InvalidParameters, LvsdrError, NotRunning, OutOfOrder
from ..values.light_typing import NamedTuple
from ..values.safe_text import read_instance_name
from . import degradation
from .actions import Action
from .context import Context
from .log import Log
from .parameters import ParameterSet
from .trace import TRACE_FILE, TRACE_RA, open_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .actions import Handler


class Agent(NamedTuple):
    """A resource agent: its descriptions, its parameters, and its actions.

    - ``validate_environment`` is called by validate-all from check level 10 on, after the
      parameters were found legal.  It raises LvsdrError if this node cannot run the resource.
    - ``still_serves`` is called when monitor or reload-agent fails.  It tests, cheaply, whether
      clients are still served.  If so, the action ends with DEGRADED, which causes no restart.
    - ``is_active`` is called when stop fails.  If nothing is active, stop counts as successful.
    """

    name: str
    version: str
    short: str
    long: str
    parameters: ParameterSet
    actions: tuple[Action, ...]
    validate_environment: Callable[[Context], None] | None = None
    still_serves: Callable[[Context], bool] | None = None
    is_active: Callable[[Context], bool] | None = None

    @property
    def all_parameters(self) -> ParameterSet:
        """Return the agent's own parameters and those of the framework."""
        return self.parameters.extend_with(TRACE_RA, TRACE_FILE)

    @property
    def all_actions(self) -> tuple[Action, ...]:
        """Return the agent's own actions and those of the framework."""
        levels = ("0", "10") if self.validate_environment else ("0",)
        return (
            *self.actions,
            Action("meta-data", self._print_metadata, "5s"),
            *(Action("validate-all", self._validate, "20s", depth=level) for level in levels),
            *(Action(name, self._print_usage, "5s", advertised=False) for name in _USAGE_ACTIONS),
        )

    def run(self, arguments: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run the action that the first of ``arguments`` names; the rest is ignored (OCF 1.1).

        Return the exit code of the process.  Exceptions of the action never leave this method.
        """
        name = arguments[0] if arguments else ""
        action = next((action for action in self.all_actions if action.name == name), None)
        if action is None:
            _print_text(self.render_usage())
            return int(ExitCode.ERR_UNIMPLEMENTED)
        log = self._open_log(name, environ)
        try:
            context = Context(self.name, name, self.all_parameters, environ, log)
            return int(_run_action(action.handler, context, self))
        finally:
            log.close()

    def render_metadata(self) -> str:
        """Return the agent's description of itself, an OCF 1.1 XML document."""
        from .metadata import Description, render_metadata

        texts = (self.name, self.version, self.short, self.long)
        return render_metadata(Description(*texts, self.all_parameters, self.all_actions))

    def render_usage(self) -> str:
        """Return the usage text of the agent."""
        names = dict.fromkeys(action.name for action in self.all_actions if action.advertised)
        return (
            f"usage: {self.name} {{{'|'.join(names)}|usage}}\n\n{self.short}.\n"
            "Parameters are environment variables OCF_RESKEY_<name>; meta-data describes them.\n"
        )

    def _open_log(self, action: str, environ: Mapping[str, str]) -> Log:
        instance = environ.get("OCF_RESOURCE_INSTANCE")
        tag = f"{self.name}{f'({instance})' if instance else ''}[{os.getpid()}]"
        if action in _QUIET_ACTIONS:
            return Log(tag, environ)
        try:
            trace = open_trace(environ, self.name, read_instance_name(environ, self.name), action)
            return Log(tag, environ, trace)
        except OSError as error:
            log = Log(tag, environ)
            log.warning(f"cannot trace: {error}")
            return log

    def _print_metadata(self, _: Context) -> None:
        _print_text(self.render_metadata())

    def _print_usage(self, _: Context) -> None:
        _print_text(self.render_usage())

    def _validate(self, context: Context) -> None:
        context.values  # noqa: B018  reading them raises InvalidParameters
        if context.check_level >= 10 and self.validate_environment:
            self.validate_environment(context)


_USAGE_ACTIONS = ("usage", "help", "--help", "-h")
_QUIET_ACTIONS = ("meta-data", *_USAGE_ACTIONS)  # these actions open no trace
_KEEPING_ACTIONS = ("monitor", "reload-agent", "reconcile")
_ERRORS_CURED_BY_RESTART = (NotRunning, OutOfOrder)


def _run_action(handler: Handler, context: Context, agent: Agent) -> ExitCode:
    log = context.log
    log.debug(f"{context.action} begins; parameters set: {', '.join(context.parameters_given)}")
    try:
        code = handler(context) or ExitCode.SUCCESS
    except KeyboardInterrupt:
        log.exit_reason("interrupted")
        code = ExitCode.ERR_GENERIC
    except Exception as error:
        if _is_kept(error, context, agent.still_serves):
            code = _report_degraded(error, context)
        elif _has_stopped(context, agent.is_active):
            code = _report_stopped(error, log)
        else:
            code = _report_failed(error, log)
    degradation.record_reasons(context, code)
    log.debug(f"{context.action} ends with {int(code)} ({code.name})")
    return code


def _is_kept(
    error: Exception, context: Context, still_serves: Callable[[Context], bool] | None
) -> bool:
    """Test whether the resource must not be restarted after the failed action.

    If the test itself fails, nothing is known, and a stop could not succeed either.
    """
    if context.action not in _KEEPING_ACTIONS or isinstance(error, _ERRORS_CURED_BY_RESTART):
        return False
    if still_serves is None:
        return False
    try:
        return still_serves(context)
    except Exception:
        return True


def _has_stopped(context: Context, is_active: Callable[[Context], bool] | None) -> bool:
    """Test whether a failed stop left nothing active; the rest does not justify fencing."""
    if context.action != "stop" or is_active is None:
        return False
    try:
        return not is_active(context)
    except Exception:
        return False


def _report_stopped(error: Exception, log: Log) -> ExitCode:
    if not isinstance(error, LvsdrError):
        log.error(_format_traceback(error))
    log.warning(f"stopped, but not all was put in order: {_describe_error(error)}")
    return ExitCode.SUCCESS


def _report_degraded(error: Exception, context: Context) -> ExitCode:
    reason = f"{_describe_error(error)}: left as it is"
    context.log.exit_reason(reason, logged=False)
    if not isinstance(error, LvsdrError) and degradation.is_new_reason(context, reason):
        context.log.error(_format_traceback(error))
    return ExitCode.DEGRADED


def _report_failed(error: Exception, log: Log) -> ExitCode:
    if isinstance(error, InvalidParameters):
        log.exit_reason(*error.problems)
    elif isinstance(error, LvsdrError):
        log.exit_reason(str(error))
    else:
        log.error(_format_traceback(error))
        log.exit_reason(_describe_error(error))
    return error.exit_code if isinstance(error, LvsdrError) else ExitCode.ERR_GENERIC


def _describe_error(error: Exception) -> str:
    if isinstance(error, LvsdrError):
        return str(error)
    return f"internal error: {type(error).__name__}: {error}"


def _format_traceback(error: Exception) -> str:
    """Return the traceback; the error alone where no descriptor is left to load the module."""
    try:
        import traceback

        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as problem:
        return f"{_describe_error(error)} (no traceback: {problem})"


def _print_text(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed the pipe: keep the interpreter's last flush from reporting that again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
