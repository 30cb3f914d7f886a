"""The run of a tool: from arguments to an exit status and at most one line of complaint."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from .. import __version__
from ..errors import InvalidParameters, LvsdrError, NotAsked, NotInstalled
from . import CANNOT_RUN, complain

FAILED = 1
WRONG_USAGE = 2


class Unsaid(click.ClickException):
    """A result could not be printed."""


Work = Callable[[Mapping[str, Any]], None]


def described(
    kind: type[click.Command], name: str, text: str, parameters: Sequence[click.Parameter]
) -> click.Command:
    """Return a command with its options, its help and its version."""
    version = click.version_option(__version__, message="%(prog)s %(version)s", prog_name=name)
    return version(kind(name, params=list(parameters), help=text))


def run(what: click.Command, work: Work, arguments: Sequence[str]) -> int:
    """Do the work with the values of the parameters; return the exit status.  Never raise."""
    name = what.name or ""
    if os.environ.get(completion_variable(name)):
        return _complete(what, name)
    try:
        with what.make_context(name, list(arguments)) as context:
            work(context.params)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.ClickException, LvsdrError, OSError) as error:
        complain(name, error.format_message() if isinstance(error, click.ClickException) else error)
        return _status(error)
    except (KeyboardInterrupt, click.Abort):
        complain(name, "interrupted")
        return FAILED
    except Exception as error:
        # Not the text of the error: it may contain a connection string.
        complain(name, f"internal error: {type(error).__name__}, {_place(error)}")
        return FAILED
    return 0


def completion_variable(name: str) -> str:
    """Return the variable with which a shell asks a tool to complete a command line.

    >>> completion_variable("vip-manager")
    '_VIP_MANAGER_COMPLETE'
    """
    return f"_{name.replace('-', '_').upper()}_COMPLETE"


def _complete(what: click.Command, name: str) -> int:
    """Print click's completions for the shell, without doing the tool's work."""
    try:
        what.main([], prog_name=name, complete_var=completion_variable(name))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except Exception:  # a shell would show any output while the user types
        return FAILED


def say(result: str) -> None:
    """Print the result; raise Unsaid if that fails, because a result without output is lost."""
    if sys.stdout is None:
        raise Unsaid("standard output is closed")
    try:
        click.echo(result)
    except OSError as error:
        raise Unsaid(f"standard output: {error.strerror}") from None


def _status(error: Exception) -> int:
    if isinstance(error, (NotAsked, NotInstalled, Unsaid)):
        return CANNOT_RUN
    if isinstance(error, (click.UsageError, InvalidParameters)):
        return WRONG_USAGE
    return FAILED


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
