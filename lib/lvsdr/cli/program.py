"""The run of a tool: from arguments to an exit status, and one line for an error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from .. import __version__
from ..errors import InvalidParameters, LvsdrError, NotAsked, NotInstalled
from . import CANNOT_RUN, print_error

FAILED = 1
WRONG_USAGE = 2


class OutputFailed(click.ClickException):
    """A result could not be printed."""


Work = Callable[[Mapping[str, Any]], None]


def build_command(
    kind: type[click.Command], name: str, text: str, parameters: Sequence[click.Parameter]
) -> click.Command:
    """Return a command with its options, its help and its version."""
    version = click.version_option(__version__, message="%(prog)s %(version)s", prog_name=name)
    return version(kind(name, params=list(parameters), help=text))


def run(command: click.Command, work: Work, arguments: Sequence[str]) -> int:
    """Do the work with the values of the parameters; return the exit status.  Never raise."""
    name = command.name or ""
    if os.environ.get(format_completion_variable(name)):
        return _print_completions(command, name)
    try:
        with command.make_context(name, list(arguments)) as context:
            work(context.params)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.ClickException, LvsdrError, OSError) as error:
        print_error(
            name, error.format_message() if isinstance(error, click.ClickException) else error
        )
        return _choose_exit_status(error)
    except (KeyboardInterrupt, click.Abort):
        print_error(name, "interrupted")
        return FAILED
    except Exception as error:
        # Not the text of the error: it may contain a connection string.
        print_error(name, f"internal error: {type(error).__name__}, {_locate_error(error)}")
        return FAILED
    return 0


def format_completion_variable(name: str) -> str:
    """Return the variable with which a shell requests completions of a command line.

    >>> format_completion_variable("vip-manager")
    '_VIP_MANAGER_COMPLETE'
    """
    return f"_{name.replace('-', '_').upper()}_COMPLETE"


def _print_completions(command: click.Command, name: str) -> int:
    """Print click's completions for the shell, without doing the tool's work."""
    try:
        command.main([], prog_name=name, complete_var=format_completion_variable(name))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except Exception:  # a shell would show any output while the user types
        return FAILED


def print_result(result: str) -> None:
    """Print the result; raise OutputFailed if that fails: a result without output is lost."""
    if sys.stdout is None:
        raise OutputFailed("standard output is closed")
    try:
        click.echo(result)
    except OSError as error:
        raise OutputFailed(f"standard output: {error.strerror}") from None


def _choose_exit_status(error: Exception) -> int:
    if isinstance(error, (NotAsked, NotInstalled, OutputFailed)):
        return CANNOT_RUN
    if isinstance(error, (click.UsageError, InvalidParameters)):
        return WRONG_USAGE
    return FAILED


def _locate_error(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
